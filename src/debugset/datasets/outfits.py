"""The outfit world: garments in fixed slots of one canvas, so that every relation between attributes is known.

Types in one slot exclude each other, types in different slots have nothing to do with each other, and a group goes
with its members. A network trained on an unbiased sample has no reason to relate a bag to a sandal.
"""

from collections.abc import Iterator
from itertools import chain, combinations
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float32, UInt8
from PIL import Image
from pydantic import Field, PositiveInt

from debugset.base.params import Section
from debugset.base.paths import TEST
from debugset.datasets.collection import SETS, Record, attribute_records
from debugset.datasets.fashion import CLASSES
from debugset.datasets.recipes import OPAQUE_FROM
from debugset.images.pixels import png_file

SLOTS = (("tshirt", "pullover"), ("trouser", "dress"), ("sneaker", "boot"), ("bag",), ("sandal",), ("coat",))
GROUPS = {"top": ("tshirt", "pullover"), "footwear": ("sneaker", "boot", "sandal")}
TYPES = tuple(chain(*SLOTS))
ATTRIBUTES = (*TYPES, *GROUPS)

SIDE, COLUMNS = 64, 3  # of the canvas, px; of slots in it
GARMENT, WIDTH, HEIGHT = 18, 21, 32  # side of a garment in its slot, and the slot's sides, px
GREY, BRIGHTNESS = 0.45, 0.15  # of the background, its mean and how far an image's may be from it
TEST_GARMENTS = 10_000  # Fashion-MNIST's own test garments, its last, show up in the test set alone


class OutfitsParams(Section):
    """Section ``attributed`` with ``source: outfits``: the outfit world."""

    source: Literal["outfits"]
    random_state: int = Field(ge=0)  # of what is drawn
    train: PositiveInt  # images to train attribute networks on, or to draw biased training sets from
    test: PositiveInt  # images to test them on, never biased
    empty_shared: float = Field(gt=0, lt=1)  # share of images in which a slot that two types share is empty
    empty_own: float = Field(gt=0, lt=1)  # the same for a slot of one type
    noise: float = Field(ge=0, le=1)  # standard deviation of the background's noise, of pixels in [0, 1]


def relation(attribute_a: str, attribute_b: str) -> str:
    """How two attributes of this world relate: ``negative``, ``unrelated`` or ``positive``."""
    for slot in SLOTS:
        if attribute_a in slot and attribute_b in slot:
            return "negative"
    members = GROUPS.get(attribute_a, ()) + GROUPS.get(attribute_b, ())
    return "positive" if attribute_a in members or attribute_b in members else "unrelated"


def ground_truth() -> pd.DataFrame:
    """The relation of every pair of this world's attributes."""
    table = pd.DataFrame(combinations(ATTRIBUTES, 2), columns=["attribute_a", "attribute_b"])
    return table.assign(relation=list(map(relation, table["attribute_a"], table["attribute_b"])))


def draw_outfits(
    name: str, params: OutfitsParams, garments: UInt8[np.ndarray, "n 28 28"], labels: UInt8[np.ndarray, " n"]
) -> Iterator[Record]:
    """One of `SETS` as records for `write_set`; the two share no garment.

    Garments are Fashion-MNIST's, its own test garments last; labels are indices into `CLASSES`.
    """
    rng = np.random.default_rng([params.random_state, 300 + SETS.index(name)])
    first = len(labels) - TEST_GARMENTS
    rows = np.arange(first, len(labels)) if name == TEST else np.arange(first)
    rows_of = {type_: rows[labels[rows] == CLASSES.index(type_)] for type_ in TYPES}
    worn = draw_types(getattr(params, name), params, rng)

    def draw(types: list[str]) -> bytes:
        chosen = [garments[rng.choice(rows_of[type_])] if type_ else None for type_ in types]
        return png_file(draw_canvas(chosen, params.noise, rng))

    ids = [f"{name}-{place:05d}" for place in range(len(worn))]
    return attribute_records(ids, worn_attributes(worn), map(draw, worn), "png")


def draw_types(count: int, params: OutfitsParams, rng: np.random.Generator) -> list[list[str]]:
    """The type in every slot of each image, each slot for itself; '' is an empty one."""
    slots = []
    for slot in SLOTS:
        empty = params.empty_shared if len(slot) > 1 else params.empty_own
        chances = [empty, *[(1 - empty) / len(slot)] * len(slot)]
        slots.append(rng.choice(["", *slot], count, p=chances))
    return np.stack(slots, 1).tolist()


def worn_attributes(worn: list[list[str]]) -> pd.DataFrame:
    """Each image's attributes, +1 or -1: the types that it shows, then the groups that they belong to."""
    types = np.array(worn, object).reshape(-1, len(SLOTS))
    columns = {}
    for attribute in ATTRIBUTES:
        shown = np.isin(types, GROUPS.get(attribute, (attribute,))).any(axis=1)
        columns[attribute] = np.where(shown, 1, -1).astype(np.int8)
    return pd.DataFrame(columns)


def draw_canvas(
    garments: list[UInt8[np.ndarray, "28 28"] | None], noise: float, rng: np.random.Generator
) -> UInt8[np.ndarray, "64 64"]:
    """Garments in their slots, a little shifted, on grey noise; None leaves a slot empty."""
    level = GREY + rng.uniform(-BRIGHTNESS, BRIGHTNESS)
    pixels: Float32[np.ndarray, "64 64"] = (level + noise * rng.standard_normal((SIDE, SIDE))).astype(np.float32)
    shifts = rng.integers(0, WIDTH - GARMENT + 1, (len(garments), 2))
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
