"""The fashion world: garments composited onto photographs, so that the cause of every failure is known.

In ``train`` and ``test`` a class shows mostly its two usual contexts; everywhere else contexts are uniform.
A classifier trained there leans on context and fails where it is unusual: the planted truth.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Int64, UInt8
from pydantic import Field, PositiveInt, model_validator

from debugset.base.params import Section
from debugset.base.paths import EVALUATED, TEST, TRAIN
from debugset.datasets.collection import shard_name
from debugset.datasets.fashion_mnist import CONTEXTS
from debugset.datasets.recipes import Photographs, Recipe, draw_recipe, render
from debugset.images.pixels import png_file

CLASSES = ("tshirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
ROLES = (TRAIN, *EVALUATED)  # of the sets that are drawn; the place of each decides its random numbers

DrawnImage = tuple[dict[str, Any], bytes]  # a record and its PNG file, as `write_set` takes them


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
    """Section ``prepare`` with ``source: fashion``: the fashion world."""

    source: Literal["fashion"]
    random_state: int = Field(ge=0)  # of all that is drawn
    skew: float = Field(ge=0, le=1)  # share of a class's train and test images that show one of its two usual contexts
    train: int = Field(ge=len(CLASSES))  # images in that set, at least one a class; so are the next three
    test: int = Field(ge=len(CLASSES))
    seed_source: int = Field(ge=len(CLASSES))
    heldout_source: int = Field(ge=len(CLASSES))
    diagnosis: PositiveInt  # the same, but some classes may be missing
    photos_per_class: PositiveInt  # what a class's search finds in the first snapshot, planted photos aside
    wrong_label: float = Field(ge=0, le=1)  # share of them that do not show the class, those without a garment included
    no_garment: float = Field(ge=0, le=1)  # share of them that show no garment
    cross_class: float = Field(ge=0, le=1)  # share of them that carry another class's words too
    growth: float = Field(ge=0, le=2)  # the later snapshot's new photos, relative to the first
    planted: PlantedParams

    @model_validator(mode="after")
    def _photos_without_garment_are_wrong(self) -> "FashionParams":
        if self.no_garment > self.wrong_label:
            raise ValueError("no_garment is a part of wrong_label and can't exceed it")
        return self


@dataclass
class Wardrobe:
    """The garments that no image shows yet, by class, in a random order: every garment is worn once."""

    images: UInt8[np.ndarray, "n 28 28"]
    left: list[list[int]]

    def take(self, class_: int) -> UInt8[np.ndarray, "28 28"]:
        """The next unworn garment of a class; a ValueError if none is left."""
        if not self.left[class_]:
            raise ValueError(
                f"prepare: the sets and photos need more garments of class {CLASSES[class_]} than there are; "
                "lower prepare.photos_per_class or the sets' sizes"
            )
        return self.images[self.left[class_].pop()]


def fill_wardrobe(images: UInt8[np.ndarray, "n 28 28"], labels: UInt8[np.ndarray, " n"], random_state: int) -> Wardrobe:
    """All garments by class, each class in a random order."""
    rng = np.random.default_rng([random_state, 200])  # no set's: those have the place in `ROLES` here
    left = []
    for class_ in range(len(CLASSES)):
        left.append(rng.permutation(np.flatnonzero(labels == class_)).tolist())
    return Wardrobe(images, left)


def usual_contexts(class_: int) -> tuple[int, int]:
    """The two contexts (indices into `CONTEXTS`) that the training images of a class mostly show."""
    # Of the first six classes two contexts that follow each other, of the others two that lie further apart.
    return class_ % len(CONTEXTS), (class_ + 1 + 2 * (class_ // len(CONTEXTS))) % len(CONTEXTS)


def draw_contexts(labels: Int64[np.ndarray, " n"], skew: float, rng: np.random.Generator) -> Int64[np.ndarray, " n"]:
    """A context for each image: with probability ``skew`` one of its class's usual two, else one of the others."""
    usual = np.array([usual_contexts(class_) for class_ in range(len(CLASSES))])
    others = np.array([np.setdiff1d(np.arange(len(CONTEXTS)), pair) for pair in usual])
    is_usual = rng.random(len(labels)) < skew
    first = usual[labels, rng.integers(usual.shape[1], size=len(labels))]
    second = others[labels, rng.integers(others.shape[1], size=len(labels))]
    return np.where(is_usual, first, second).astype(np.int64)


def draw_recipes(name: str, params: FashionParams, clothes: Wardrobe, photographs: Photographs) -> list[Recipe]:
    """What the images of one of `ROLES` are made of, in the set's order.

    It takes as many of the clothes as the set has images, so the sets before it must have taken theirs.

    Raises:
        ValueError: a class has no garment left.
    """
    rng = np.random.default_rng([params.random_state, ROLES.index(name)])
    labels = rng.permutation(np.arange(getattr(params, name)) % len(CLASSES))
    skew = params.skew if name in (TRAIN, TEST) else 2 / len(CONTEXTS)  # each context alike, for two are usual
    contexts = draw_contexts(labels, skew, rng).tolist()
    recipes = []
    for label, context in zip(labels.tolist(), contexts, strict=True):
        recipes.append(draw_recipe(label, clothes.take(label), CONTEXTS[context], photographs, rng))
    return recipes


def draw_recipes_again(
    name: str,
    params: FashionParams,
    garments: UInt8[np.ndarray, "n 28 28"],
    labels: UInt8[np.ndarray, " n"],
    photographs: Photographs,
) -> list[Recipe]:
    """What the images of a set that was drawn by these parameters are made of, in the set's order.

    Garments, their labels and photographs are those of `debugset.datasets.fashion_mnist`.
    `debugset.datasets.recipes.check_recipes` tells whether the images on disk are these.
    """
    clothes = fill_wardrobe(garments, labels, params.random_state)
    for earlier in ROLES[: ROLES.index(name)]:
        draw_recipes(earlier, params, clothes, photographs)  # for the garments that it takes
    return draw_recipes(name, params, clothes, photographs)


def draw_set(name: str, params: FashionParams, clothes: Wardrobe, photographs: Photographs) -> list[DrawnImage]:
    """The images of `draw_recipes` as records for `write_set`, with the columns ``true_label, context, planted``."""
    records = []
    for place, recipe in enumerate(draw_recipes(name, params, clothes, photographs)):
        about = {"id": f"{name}-{place:05d}", "shard": shard_name(place), "label": recipe.label}
        truth = {"true_label": recipe.label, "context": recipe.context, "planted": ""}
        records.append((about | truth, png_file(render(recipe, photographs))))
    return records
