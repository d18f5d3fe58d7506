"""Parameters of the failure modes: section ``barlow``."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from debugset.base.params import Section, distinct

FeatureSource = Literal["foundation", "original", "robust", "pixels"]


class BarlowParams(Section):
    """Section ``barlow``: how the original model's failures on ``diagnosis`` are explained.

    Attributes:
        features: what rules are made of: embedder slots, or ``pixels`` (colour statistics). The first gives the
            failure modes, the others are compared with it.
        estimator: of mutual information, ``binned`` or ``ksg``.
        n_features: the most informative features of a group, which its tree may use.
        depths: of the trees that are compared.
        mode_depth: of the trees that give the failure modes; one of ``depths``.
        min_gain: a mode's error rate exceeds the base error rate by more than this.
        min_coverage: a mode covers more than this share of its group's errors.
        discovery: share of each class's images in the discovery half; the others are held out.
        min_images: a group with fewer images in its discovery half is left out.
        permutations: of the failures, for the gain that chance gives; 0 for none.
        cards: how many modes get pictures, those of the highest importance first.
        random_state: of the halves, the permutations and the examples shown.
    """

    features: Annotated[list[FeatureSource], Field(min_length=1), AfterValidator(distinct)]
    estimator: Literal["binned", "ksg"]
    n_features: PositiveInt
    depths: Annotated[list[Annotated[int, Field(ge=1, le=3)]], Field(min_length=1), AfterValidator(distinct)]
    mode_depth: int = Field(ge=1, le=3)
    min_gain: float = Field(ge=0, lt=1)
    min_coverage: float = Field(ge=0, lt=1)
    discovery: float = Field(gt=0, lt=1)
    min_images: int = Field(ge=2)
    permutations: int = Field(ge=0)
    cards: int = Field(ge=0)
    random_state: int = Field(ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> "BarlowParams":
        if self.mode_depth not in self.depths:
            raise ValueError(f"`mode_depth` {self.mode_depth} is none of `depths`; add it there")
        return self
