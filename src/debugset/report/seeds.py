"""Failures with their picks, as the page and the contact sheet show them."""

from dataclasses import dataclass

import pandas as pd

from debugset.base.paths import SEED_SOURCE, SETS
from debugset.images.sets import ImageSet
from debugset.report.inputs import Inputs

SEED_SET = SETS / SEED_SOURCE


@dataclass(frozen=True)
class Seed:
    """A failure of the original model that was used to collect images.

    Attributes:
        image_id: its id in the seed set.
        row: its manifest row there.
        label: its class.
        predicted: what the original model took it for.
    """

    image_id: str
    row: int
    label: int
    predicted: int


def shown_seeds(inputs: Inputs) -> list[Seed]:
    """A random draw of seeds, one from each debug class in turn."""
    seeds = inputs.failures[inputs.failures["role"] == "seed"].sort_values(["class", "image_id"])
    order = inputs.generator().permutation(len(seeds))
    drawn = seeds.iloc[order].assign(turn=lambda frame: frame.groupby("class").cumcount())
    drawn = drawn.sort_values(["turn", "class"], kind="stable").head(inputs.params.seeds_shown)
    drawn = drawn.sort_values(["class", "turn"], kind="stable")
    rows = inputs.images(SEED_SET).rows_of(drawn["image_id"])
    return [
        Seed(seed["image_id"], int(row), int(seed["class"]), int(seed["predicted"]))
        for row, (_, seed) in zip(rows, drawn.iterrows(), strict=True)
    ]


def nearest_picks(inputs: Inputs, embedder: str, seed: Seed) -> pd.DataFrame:
    """The nearest debug-train picks of a seed, with ``row``, their manifest row in the pool."""
    picks = inputs.picks[embedder]
    of_seed = picks[(picks["seed_set"] == SEED_SOURCE) & (picks["seed_id"] == seed.image_id)]
    shown = of_seed.sort_values("rank").head(inputs.params.picks_shown)
    return shown.assign(row=inputs.pool.rows_of(shown["image_id"]))


def verdict(inputs: Inputs, images: ImageSet, row: int, label: int) -> tuple[str, str]:
    """How an image that serves as an example of class ``label`` is captioned and marked.

    Returns:
        The caption, and "right" or "wrong" where the truth is known, else "".
    """
    truth = inputs.truth(images, row)
    if truth is None:
        return inputs.class_name(label), ""
    if truth == label:
        return inputs.class_name(label), "right"
    return inputs.class_name(truth), "wrong"
