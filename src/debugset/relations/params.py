"""Parameters of the diagnosis of relations: sections ``attributes`` and ``relations``."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt, field_validator, model_validator

from debugset.base.params import Name, Section, distinct
from debugset.training.recipe import RandomStates, Recipe, Schedule

Pair = Annotated[list[Name], Field(min_length=2, max_length=2)]


class AttributesParams(Schedule):
    """Section ``attributes``: the networks that are diagnosed, one for each training set and random state.

    Attributes:
        architecture: ``small_alexnet``, ``alexnet`` (torchvision's) or any timm model; from random weights.
        side: of the square input, px.
        loss: ``logistic`` for attributes of +1 and -1, ``squared`` for continuous ones.
        images: in every training set, however biased; null takes all that the bias leaves.
        pairs: of attributes; each gives a series of training sets that are more and more biased.
        taus: the bias levels: the share of the images in which the pair's attributes differ that is removed.
        random_states: of training sets and weights; each also trains on an unbiased set.
    """

    architecture: str
    side: PositiveInt
    loss: Literal["logistic", "squared"]
    images: PositiveInt | None
    pairs: Annotated[list[Pair], AfterValidator(distinct)]
    taus: Annotated[list[Annotated[float, Field(gt=0, le=1)]], AfterValidator(distinct)]
    random_states: RandomStates

    @field_validator("pairs")
    @classmethod
    def _two(cls, pairs: list[list[str]]) -> list[list[str]]:
        for a, b in pairs:
            if a == b:
                raise ValueError(f"{a} is paired with itself")
        return pairs

    def recipe(self) -> Recipe:
        """How they train: as the section says, and without label smoothing."""
        return Recipe(label_smoothing=0.0, **self.model_dump(include=set(Schedule.model_fields)))


class RelationsParams(Section):
    """Section ``relations``: how attributes' inference patterns are compared, and what counts as a flaw.

    Attributes:
        truth: file in ``ground_truth/`` that says how attributes relate.
        layer: module of the network, as `backbone.features.0`, whose output is x; in the paper the first convolution.
        batch: images at a time; memory grows with it.
        images: of every training set that are looked at, the first of a random order; null for all.
        mask: ``greedy`` keeps the few units that explain an attribute's score, ``all`` keeps every unit.
        mask_images: that show the attribute, to choose its units by.
        mask_penalty: what keeping all units costs, as a share of what keeping none costs.
        mask_block: share of all units that a step of the choice may add.
        bins: of the cosine in [-1, 1].
        bandwidth: standard deviation of the kernel that smooths the observed distribution.
        floor: share of the observed distribution that is uniform.
        min_std: the least standard deviation of a relation's expected distribution.
        threshold: of the mean cosine, and of its distance from what is expected; the paper's 0.2.
        unrelated: the label of pairs that should have nothing in common, of the stronger baseline; or null.
        top: how many failure modes table 1 averages over.
        test_images: a failure mode with fewer test images is left out of that table.
        maps: how many pairs get heat maps.
        map_images: how many images each.
        random_state: of the images looked at.
    """

    truth: str
    layer: str
    batch: PositiveInt
    images: PositiveInt | None
    mask: Literal["greedy", "all"]
    mask_images: PositiveInt
    mask_penalty: float = Field(ge=0)
    mask_block: float = Field(gt=0, le=1)
    bins: int = Field(ge=2)
    bandwidth: float = Field(ge=0)
    floor: float = Field(gt=0, lt=1)
    min_std: PositiveFloat
    threshold: float = Field(gt=0, lt=1)
    unrelated: Name | None
    top: list[PositiveInt] = Field(min_length=1)
    test_images: PositiveInt
    maps: int = Field(ge=0)
    map_images: PositiveInt
    random_state: int = Field(ge=0)

    @model_validator(mode="after")
    def _ascending(self) -> "RelationsParams":
        if sorted(set(self.top)) != self.top:
            raise ValueError("`top` must ascend")
        return self
