"""Parameters of sparse decision layers: section ``sparse``."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, model_validator

from debugset.base.params import Section, distinct

Embedder = Literal["foundation", "original", "robust"]


class SparseParams(Section):
    """Section ``sparse``: decision layers on features, fitted on ``train``, and what they explain of ``diagnosis``.

    Attributes:
        models: embedder slots; of the first the features are pictured.
        alpha: share of the penalty that is on absolute weights; the rest is on squared ones.
        lambdas: strengths of the penalty that are tried, from the one that leaves no weight on.
        epsilon: the weakest of them, as a share of the strongest.
        validation: share of the training images that is kept apart to choose a layer by.
        choose: the layer by ``features`` a class, by ``accuracy`` given up, or by the best ``validation`` accuracy.
        features: that a class uses on average, at most; for ``choose: features``.
        points: hundredths of accuracy below the best on the validation images, at most; for ``choose: accuracy``.
        shown: features of a class that are pictured, the most important ones.
        cards: errors that are shown.
        rendered: those of the models that see images with exchanged backgrounds, in worlds that can draw them.
        swapped: images whose background is exchanged, at most.
        crops: of each context that they are drawn on.
        top_features: of each class, that patches and swaps are directed by.
        patch_victims: images that a feature's patches are pasted into.
        patch_side: of a patch, as a share of the image's.
        resamples: behind each interval.
        random_state: of all that is drawn.
    """

    models: Annotated[list[Embedder], Field(min_length=1), AfterValidator(distinct)]
    alpha: float = Field(gt=0, le=1)
    lambdas: PositiveInt
    epsilon: float = Field(gt=0, lt=1)
    validation: float = Field(gt=0, lt=1)
    choose: Literal["features", "accuracy", "validation"]
    features: PositiveFloat
    points: float = Field(ge=0, lt=100)
    shown: PositiveInt
    cards: int = Field(ge=0)
    rendered: Annotated[list[Embedder], AfterValidator(distinct)]
    swapped: PositiveInt
    crops: PositiveInt
    top_features: PositiveInt
    patch_victims: PositiveInt
    patch_side: float = Field(gt=0, le=1)
    resamples: int = Field(ge=100)
    random_state: int = Field(ge=0)

    @model_validator(mode="after")
    def _rendered_are_models(self) -> "SparseParams":
        if not set(self.rendered) <= set(self.models):
            raise ValueError("`rendered` names a model that is none of `models`; leave it out, or add it there")
        return self
