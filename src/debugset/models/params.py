"""Parameters of the models: sections ``original``, ``robust``, ``embedders`` and ``embed``."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from debugset.base.params import Section

Precision = Literal["fp32", "bf16"]


class OriginalParams(Section):
    """Section ``original``: the original model, which is also an embedder.

    Attributes:
        architecture: in the registry, or any timm model.
        random_state: of its weights, order and augmentation; failures come from this model alone.
    """

    architecture: str
    random_state: int = Field(ge=0)


class RobustParams(Section):
    """Section ``robust``: the L2-adversarially trained embedder, or a ready one.

    Attributes:
        architecture: in the registry, or any timm model.
        file: ready weights in the weights folder; null trains here.
        file_sha256: of that file.
        random_state: of its weights, order and augmentation.
        steps: optimiser steps; the other settings are the recipe's.
        peak_lr: highest learning rate.
        label_smoothing: of the loss.
        radius: of the L2 ball, in units of pixels in [0, 1].
        attack_steps: gradient steps a batch.
        attack_step: length of each, relative to the radius.
        clean_steps: optimiser steps without attack at the beginning.
        evaluation_steps: gradient steps when robust accuracy is measured.
        evaluation_images: how many test images it is measured on.
    """

    architecture: str
    file: str | None
    file_sha256: str | None
    random_state: int = Field(ge=0)
    steps: PositiveInt
    peak_lr: PositiveFloat
    label_smoothing: float = Field(ge=0, lt=1)
    radius: PositiveFloat
    attack_steps: PositiveInt
    attack_step: PositiveFloat
    clean_steps: int = Field(ge=0)
    evaluation_steps: PositiveInt
    evaluation_images: PositiveInt


class EmbeddersParams(Section):
    """Section ``embedders``: what fills the foundation slot.

    Attributes:
        foundation: in the registry, or any timm model.
        foundation_file: its weights in the weights folder; null takes the registry's source.
        foundation_sha256: of that file.
    """

    foundation: str
    foundation_file: str | None
    foundation_sha256: str | None


class EmbedParams(Section):
    """Section ``embed``: how embedders, and classifiers that predict, are run."""

    precision: Precision
