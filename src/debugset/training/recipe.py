"""How models are trained: what all say, the recipe of the original and its variants, and their random states."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat, PositiveInt

from debugset.base.params import Section, distinct
from debugset.models.params import Precision

RandomStates = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), AfterValidator(distinct)]


class Schedule(Section):
    """What every section that trains by steps says: SGD with Nesterov momentum and a one-cycle learning rate.

    Attributes:
        steps: optimiser steps, however many images there are.
        batch: images a step, over all devices together.
        peak_lr: the highest learning rate.
        warmup: share of the steps after which it is reached.
        momentum: of SGD; 0 is without.
        weight_decay: of SGD.
        augmentation: ``shift_flip`` keeps all images in memory, shifts them and mirrors every second one;
            ``random_resized_crop`` decodes them as they come; ``none`` keeps them in memory as they are.
        shift: the largest, px.
        precision: of the forward pass.
        channels_last: memory format of images and weights.
    """

    steps: PositiveInt
    batch: PositiveInt
    peak_lr: PositiveFloat
    warmup: float = Field(ge=0, lt=1)
    momentum: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    augmentation: Literal["shift_flip", "random_resized_crop", "none"]
    shift: int = Field(ge=0)
    precision: Precision
    channels_last: bool


class Recipe(Schedule):
    """Section ``recipe``: how the original model and every variant train; the smoothing is of the cross-entropy."""

    label_smoothing: float = Field(ge=0, lt=1)


class TrainParams(Section):
    """Section ``train``: the random states that every variant is trained with."""

    random_states: RandomStates
