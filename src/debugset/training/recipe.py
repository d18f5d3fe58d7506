"""The recipe that the original model and every variant train by, and the variants' random states."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from debugset.base.params import Section
from debugset.models.params import Precision


class Recipe(Section):
    """Section ``recipe``: SGD with Nesterov momentum and a one-cycle schedule, for a number of steps.

    Attributes:
        steps: optimiser steps; the same for all variants, however many images they have.
        batch: images a step, over all devices together.
        peak_lr: the schedule's highest learning rate, reached after ``warmup`` of the steps.
        augmentation: ``shift_flip`` keeps all images in memory and shifts them by up to ``shift`` px;
            ``random_resized_crop`` decodes them as they come; ``none`` keeps them in memory as they are.
        channels_last: memory format of images and weights.
    """

    steps: PositiveInt
    batch: PositiveInt
    peak_lr: PositiveFloat
    warmup: float = Field(ge=0, lt=1)
    momentum: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    label_smoothing: float = Field(ge=0, lt=1)
    augmentation: Literal["shift_flip", "random_resized_crop", "none"]
    shift: int = Field(ge=0)
    precision: Precision
    channels_last: bool


class TrainParams(Section):
    """Section ``train``: the random states that every variant is trained with."""

    random_states: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)

    @field_validator("random_states")
    @classmethod
    def _distinct(cls, random_states: list[int]) -> list[int]:
        if len(set(random_states)) < len(random_states):
            raise ValueError("a random_state comes twice")
        return random_states
