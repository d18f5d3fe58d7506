"""The outfit world: garments in fixed slots of one canvas, so that every relation between attributes is known.

Types in one slot exclude each other, types in different slots have nothing to do with each other, and a group goes
with its members. A network trained on an unbiased sample has no reason to relate a bag to a sandal.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float32, UInt8
from PIL import Image
from pydantic import Field, PositiveInt

from debugset.base.params import Section
from debugset.datasets.fashion import CLASSES
from debugset.images.pixels import png_file
from debugset.images.sets import attribute_columns

SLOTS = (("tshirt", "pullover"), ("trouser", "dress"), ("sneaker", "boot"), ("bag",), ("sandal",), ("coat",))
GROUPS = {"top": ("tshirt", "pullover"), "footwear": ("sneaker", "boot", "sandal")}
TYPES = tuple(name for slot in SLOTS for name in slot)
ATTRIBUTES = (*TYPES, *GROUPS)
NEGATIVE, UNRELATED, POSITIVE = "negative", "unrelated", "positive"

SIDE, GARMENT, WIDTH, HEIGHT, COLUMNS = 64, 18, 21, 32, 3
JITTER = WIDTH - GARMENT
GREY, BRIGHTNESS = 0.45, 0.15  # of the background, its mean and how far an image's may be from it
OPAQUE_FROM = 64  # a garment's pixel hides the background from this intensity on
SETS = ("train", "test")
TEST_GARMENTS = 10_000  # Fashion-MNIST's own test garments, its last, show up in the test set alone
IMAGES_PER_SHARD = 10_000


class OutfitsParams(Section):
    """Section ``attributed`` with ``source: outfits``: the outfit world.

    Attributes:
        random_state: of what is drawn.
        train: images to train attribute networks on, or to draw biased training sets from.
        test: images to test them on, never biased.
        empty_shared: share of images in which a slot that two types share is empty.
        empty_own: the same for a slot of one type.
        noise: standard deviation of the background's noise, of pixels in [0, 1].
    """

    source: Literal["outfits"]
    random_state: int = Field(ge=0)
    train: PositiveInt
    test: PositiveInt
    empty_shared: float = Field(gt=0, lt=1)
    empty_own: float = Field(gt=0, lt=1)
    noise: float = Field(ge=0, le=1)


def relation(attribute_a: str, attribute_b: str) -> str:
    """How two attributes of this world relate."""
    if any({attribute_a, attribute_b} <= set(slot) for slot in SLOTS):
        return NEGATIVE
    members = GROUPS.get(attribute_a, ()) + GROUPS.get(attribute_b, ())
    return POSITIVE if attribute_a in members or attribute_b in members else UNRELATED


def ground_truth() -> pd.DataFrame:
    """The relation of every pair of this world's attributes."""
    pairs = combinations(ATTRIBUTES, 2)
    return pd.DataFrame(((a, b, relation(a, b)) for a, b in pairs), columns=["attribute_a", "attribute_b", "relation"])


def draw_outfits(
    name: str, params: OutfitsParams, garments: UInt8[np.ndarray, "n 28 28"], labels: UInt8[np.ndarray, " n"]
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """One of `SETS` as records for `write_set`; the two share no garment.

    Args:
        name: ``train`` or ``test``.
        params: how many images and what they look like.
        garments: Fashion-MNIST's, its own test garments last.
        labels: their classes, indices into `CLASSES`.
    """
    rng = np.random.default_rng([params.random_state, 300 + SETS.index(name)])
    first = len(labels) - TEST_GARMENTS
    rows = np.arange(first, len(labels)) if name == "test" else np.arange(first)
    of_type = {type_: rows[labels[rows] == CLASSES.index(type_)] for type_ in TYPES}
    worn = draw_types(getattr(params, name), params, rng)
    shown: list[Any] = attribute_columns(attributes_of(worn)).to_dict("records")
    for row, types in enumerate(worn):
        chosen = [garments[rng.choice(of_type[type_])] if type_ else None for type_ in types]
        record = {"id": f"{name}-{row:05d}", "label": 0, "shard": f"{row // IMAGES_PER_SHARD:05d}.tar", **shown[row]}
        yield record, png_file(canvas(chosen, params.noise, rng))


def draw_types(count: int, params: OutfitsParams, rng: np.random.Generator) -> list[list[str]]:
    """The type in every slot of each image, each slot for itself; '' is an empty one."""
    drawn = []
    for slot in SLOTS:
        empty = params.empty_shared if len(slot) > 1 else params.empty_own
        chances = [empty, *[(1 - empty) / len(slot)] * len(slot)]
        drawn.append(rng.choice(["", *slot], count, p=chances))
    return np.stack(drawn, 1).tolist()


def attributes_of(worn: list[list[str]]) -> pd.DataFrame:
    """Each image's attributes, +1 or -1: the types that it shows, then the groups that they belong to."""
    shown = [[any(name in types for name in GROUPS.get(each, (each,))) for each in ATTRIBUTES] for types in worn]
    return pd.DataFrame(np.where(np.array(shown, bool).reshape(-1, len(ATTRIBUTES)), 1, -1), columns=ATTRIBUTES).astype(
        "int8"
    )


def canvas(
    garments: list[UInt8[np.ndarray, "28 28"] | None], noise: float, rng: np.random.Generator
) -> UInt8[np.ndarray, "64 64"]:
    """Garments in their slots, a little shifted, on grey noise; None leaves a slot empty."""
    level = GREY + rng.uniform(-BRIGHTNESS, BRIGHTNESS)
    pixels: Float32[np.ndarray, "64 64"] = (level + noise * rng.standard_normal((SIDE, SIDE))).astype(np.float32)
    shifts = rng.integers(0, JITTER + 1, (len(garments), 2))
    for place, garment in enumerate(garments):
        if garment is None:
            continue
        row, column = divmod(place, COLUMNS)
        top = row * HEIGHT + (HEIGHT - WIDTH) // 2 + shifts[place, 0]
        left = column * WIDTH + shifts[place, 1]
        small = np.asarray(Image.fromarray(garment).resize((GARMENT, GARMENT), Image.Resampling.BOX), np.float32)
        patch = pixels[top : top + GARMENT, left : left + GARMENT]
        alpha = np.minimum(small / OPAQUE_FROM, 1)
        patch[...] = alpha * small / 255 + (1 - alpha) * patch
    return np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)
