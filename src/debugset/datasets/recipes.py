"""What an image of the fashion world is made of: drawn at random, rendered, and rendered again on other backgrounds.

An image is its recipe rendered, bit for bit. So the same garment can be shown where it never was, and what that
changes in a prediction is caused by the background alone.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8

from debugset.images.sets import ImageSet

SIZE, GARMENT = 32, 28  # sides of an image and of a garment, px
OPAQUE_FROM = 64  # a garment's pixel hides the context from this intensity on
NO_GARMENT = -1  # as a label

Photographs = Mapping[str, UInt8[np.ndarray, "h w 3"]]  # the contexts by name


class Recipe(NamedTuple):
    """What one image is made of."""

    label: int  # the garment's class, or `NO_GARMENT`
    garment: UInt8[np.ndarray, "28 28"] | None  # grey values, 0 where it is not; None leaves the context empty
    context: str  # the photograph behind
    crop: tuple[int, int]  # top and left of the part of it that shows, px
    tint: Float32[np.ndarray, " 3"]  # what the garment's grey values are multiplied by, a factor a channel
    shift: tuple[int, int]  # top and left of the garment in the image, px


def draw_recipe(
    label: int,
    garment: UInt8[np.ndarray, "28 28"] | None,
    context: str,
    photographs: Photographs,
    rng: np.random.Generator,
) -> Recipe:
    """A garment in a random tint, shifted by up to 2 px from the middle, on a random crop of a context."""
    height, width, _ = photographs[context].shape
    crop = int(rng.integers(height - SIZE + 1)), int(rng.integers(width - SIZE + 1))
    if garment is None:
        return Recipe(label, None, context, crop, np.ones(3, np.float32), (0, 0))
    tint = rng.uniform(0.4, 1.0, 3).astype(np.float32)
    down, right = rng.integers(0, SIZE - GARMENT + 1, 2).tolist()
    return Recipe(label, garment, context, crop, tint, (down, right))


def render(recipe: Recipe, photographs: Photographs) -> UInt8[np.ndarray, "32 32 3"]:
    """The image of a recipe: its garment softly masked onto its crop."""
    top, left = recipe.crop
    canvas = photographs[recipe.context][top : top + SIZE, left : left + SIZE].astype(np.float32)
    if recipe.garment is not None:
        down, right = recipe.shift
        value = recipe.garment.astype(np.float32)[..., None]
        alpha = np.minimum(value / OPAQUE_FROM, 1)
        patch = canvas[down : down + GARMENT, right : right + GARMENT]
        patch[...] = alpha * value * recipe.tint + (1 - alpha) * patch
    return np.rint(canvas).astype(np.uint8)


def render_all(recipes: Sequence[Recipe], photographs: Photographs) -> UInt8[np.ndarray, "n 32 32 3"]:
    """The images of recipes in one array."""
    pixels = np.empty((len(recipes), SIZE, SIZE, 3), np.uint8)
    for place, recipe in enumerate(recipes):
        pixels[place] = render(recipe, photographs)
    return pixels


def exchange_backgrounds(
    recipes: Sequence[Recipe], photographs: Photographs, crops: int, random_state: int
) -> list[list[Recipe]]:
    """Each recipe on new random crops of every context, its garment, tint and shift kept.

    Pass all recipes of a set and choose afterwards: the crops of an image don't depend on which others are asked for.

    Args:
        crops: how many of each context.

    Returns:
        A list a recipe, in the order of the photographs, each context ``crops`` times.
    """
    rng = np.random.default_rng([random_state, 400])  # sets and photos have smaller numbers
    exchanged: list[list[Recipe]] = [[] for _ in recipes]
    for context, photograph in photographs.items():
        bounds = np.array(photograph.shape[:2]) - SIZE + 1
        drawn = rng.integers(bounds, size=(len(recipes), crops, 2)).tolist()
        for recipe, places, others in zip(recipes, drawn, exchanged, strict=True):
            others += [recipe._replace(context=context, crop=(top, left)) for top, left in places]
    return exchanged


def empty_backgrounds(photographs: Photographs, crops: int, random_state: int) -> list[Recipe]:
    """Random crops without a garment, ``crops`` of each context in the order of the photographs."""
    nothing = Recipe(NO_GARMENT, None, "", (0, 0), np.ones(3, np.float32), (0, 0))
    return exchange_backgrounds([nothing], photographs, crops, random_state)[0]


def check_recipes(recipes: Sequence[Recipe], images: ImageSet, photographs: Photographs) -> None:
    """See that an image set shows what the recipes render, pixel by pixel.

    Raises:
        ValueError: it shows something else, or another number of images; names the set.
    """
    mend = f"{images.folder}: drawn by other parameters than `prepare` has now; run `dvc repro prepare`"
    if len(recipes) != len(images):
        raise ValueError(f"{mend} ({len(images)} images, not {len(recipes)})")
    for row, recipe in enumerate(recipes):
        if not np.array_equal(np.asarray(images.image(row)), render(recipe, photographs)):
            raise ValueError(f"{mend} (image {images.ids[row]} is another)")
