"""The fashion world: garments composited onto photographs, so that the cause of every failure is known.

In ``train`` and ``test`` a class shows mostly its two usual contexts; everywhere else contexts are uniform.
A classifier trained there leans on context and fails where it is unusual: the planted truth.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64, UInt8
from pydantic import Field, PositiveInt, model_validator

from debugset.base.params import Section
from debugset.base.paths import EVALUATED, TEST, TRAIN
from debugset.datasets.fashion_mnist import CONTEXTS
from debugset.images.pixels import png_file

CLASSES = ("tshirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
ROLES = (TRAIN, *EVALUATED)  # of the sets that are drawn; the place of each decides its random numbers
SKEWED = (TRAIN, TEST)
SIZE = 32
GARMENT = 28
LARGEST_SHIFT = (SIZE - GARMENT) // 2
OPAQUE_FROM = 64  # a garment's pixel hides the context from this intensity on


class PlantedParams(Section):
    """How many photos of each planted kind a class's search finds, besides its ordinary ones."""

    exact: int = Field(ge=0)
    reencoded: int = Field(ge=0)
    shifted: int = Field(ge=0)
    brightness: int = Field(ge=0)
    duplicate: int = Field(ge=0)
    broken: int = Field(ge=0)
    tiny: int = Field(ge=0)


class FashionParams(Section):
    """Parameters of the fashion world: section ``prepare`` with ``source: fashion``."""

    source: Literal["fashion"]
    random_state: int = Field(ge=0)
    skew: float = Field(ge=0, le=1)
    train: PositiveInt
    test: PositiveInt
    seed_source: PositiveInt
    heldout_source: PositiveInt
    diagnosis: PositiveInt
    photos_per_class: PositiveInt
    wrong_label: float = Field(ge=0, le=1)
    no_garment: float = Field(ge=0, le=1)
    cross_class: float = Field(ge=0, le=1)
    growth: float = Field(ge=0, le=2)
    planted: PlantedParams

    @model_validator(mode="after")
    def _photos_without_garment_are_wrong(self) -> "FashionParams":
        if self.no_garment > self.wrong_label:
            raise ValueError("no_garment is a part of wrong_label and can't exceed it")
        return self


@dataclass
class Wardrobe:
    """The garments that no image shows yet, by class, in a seeded order: every garment is worn once."""

    images: UInt8[np.ndarray, "n 28 28"]
    left: list[list[int]]

    def take(self, class_: int) -> UInt8[np.ndarray, "28 28"]:
        """The next unworn garment of a class.

        Raises:
            ValueError: the class has no garment left.
        """
        if not self.left[class_]:
            raise ValueError(
                f"prepare: the sets and photos need more garments of class {CLASSES[class_]} than there are; "
                "lower prepare.photos_per_class or the sets' sizes"
            )
        return self.images[self.left[class_].pop()]


def wardrobe(
    images: UInt8[np.ndarray, "n 28 28"], labels: UInt8[np.ndarray, " n"], rng: np.random.Generator
) -> Wardrobe:
    """All garments by class, each class in a random order."""
    return Wardrobe(images, [rng.permutation(np.flatnonzero(labels == c)).tolist() for c in range(len(CLASSES))])


def usual_contexts(class_: int) -> tuple[int, int]:
    """The two contexts (indices into `CONTEXTS`) that the training images of a class mostly show."""
    return class_ % len(CONTEXTS), (class_ + 1 + 2 * (class_ // len(CONTEXTS))) % len(CONTEXTS)


def draw_contexts(labels: Int64[np.ndarray, " n"], skew: float, rng: np.random.Generator) -> Int64[np.ndarray, " n"]:
    """A context for each image: with probability ``skew`` one of its class's usual two, else one of the others."""
    usual = np.array([usual_contexts(c) for c in range(len(CLASSES))])
    others = np.array([[k for k in range(len(CONTEXTS)) if k not in pair] for pair in usual])
    is_usual = rng.random(len(labels)) < skew
    first = usual[labels, rng.integers(usual.shape[1], size=len(labels))]
    second = others[labels, rng.integers(others.shape[1], size=len(labels))]
    return np.where(is_usual, first, second).astype(np.int64)


def composite(
    garment: UInt8[np.ndarray, "28 28"] | None, photograph: UInt8[np.ndarray, "h w 3"], rng: np.random.Generator
) -> UInt8[np.ndarray, "32 32 3"]:
    """A garment in a random tint, shifted by up to 2 px, softly masked onto a random crop of a photograph.

    Args:
        garment: grey values, 0 where the garment is not; None leaves the crop empty.
        photograph: the context.
        rng: source of crop, tint and shift.
    """
    top, left = rng.integers(photograph.shape[0] - SIZE + 1), rng.integers(photograph.shape[1] - SIZE + 1)
    canvas: Float32[np.ndarray, "32 32 3"] = photograph[top : top + SIZE, left : left + SIZE].astype(np.float32)
    if garment is not None:
        tint = rng.uniform(0.4, 1.0, 3).astype(np.float32)
        down, right = rng.integers(0, 2 * LARGEST_SHIFT + 1, 2)
        value = garment.astype(np.float32)[..., None]
        alpha = np.minimum(value / OPAQUE_FROM, 1)
        patch = canvas[down : down + GARMENT, right : right + GARMENT]
        patch[...] = alpha * value * tint + (1 - alpha) * patch
    return np.rint(canvas).astype(np.uint8)


def draw_set(
    name: str, params: FashionParams, clothes: Wardrobe, photographs: dict[str, np.ndarray]
) -> tuple[pd.DataFrame, list[bytes]]:
    """One of `ROLES`: its manifest columns (``id, label, true_label, context, planted``) and its PNG files."""
    rng = np.random.default_rng([params.random_state, ROLES.index(name)])
    count = getattr(params, name)
    labels = rng.permutation(np.arange(count) % len(CLASSES))
    uniform = 2 / len(CONTEXTS)
    contexts = draw_contexts(labels, params.skew if name in SKEWED else uniform, rng)
    files = [
        png_file(composite(clothes.take(label), photographs[CONTEXTS[context]], rng))
        for label, context in zip(labels.tolist(), contexts.tolist(), strict=True)
    ]
    ids = [f"{name}-{row:05d}" for row in range(count)]
    frame = pd.DataFrame({"id": ids, "label": labels, "true_label": labels})
    return frame.assign(context=np.array(CONTEXTS)[contexts], planted=""), files
