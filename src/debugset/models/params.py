"""Parameters of the models: sections ``original``, ``robust``, ``embedders`` and ``embed``."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from debugset.base.params import Section

Precision = Literal["fp32", "bf16"]


class OriginalParams(Section):
    """Section ``original``: the original model, which is also an embedder."""

    architecture: str  # in the registry, or any timm model
    random_state: int = Field(ge=0)  # of its weights, order and augmentation; failures come from this model alone


class RobustParams(Section):
    """Section ``robust``: the L2-adversarially trained embedder, or a ready one."""

    architecture: str  # in the registry, or any timm model
    file: str | None  # ready weights in the weights folder; null trains here
    file_sha256: str | None
    random_state: int = Field(ge=0)  # of its weights, order and augmentation
    steps: PositiveInt  # of the optimiser; the other settings are the recipe's
    peak_lr: PositiveFloat  # highest learning rate
    label_smoothing: float = Field(ge=0, lt=1)  # of the loss
    radius: PositiveFloat  # of the L2 ball, in units of pixels in [0, 1]
    attack_steps: PositiveInt  # gradient steps a batch
    attack_step: PositiveFloat  # length of each, relative to the radius
    clean_steps: int = Field(ge=0)  # optimiser steps without attack at the beginning
    evaluation_steps: PositiveInt  # gradient steps when robust accuracy is measured
    evaluation_images: PositiveInt  # how many test images it is measured on


class EmbeddersParams(Section):
    """Section ``embedders``: what fills the foundation slot."""

    foundation: str  # in the registry, or any timm model
    foundation_file: str | None  # its weights in the weights folder; null takes the registry's source
    foundation_sha256: str | None  # of that file


class EmbedParams(Section):
    """Section ``embed``: how embedders, and classifiers that predict, are run."""

    precision: Precision
