"""Failures with their picks, as the page and the contact sheet show them."""

from typing import NamedTuple

import pandas as pd

from debugset.base.paths import SEED_SOURCE, SETS
from debugset.report.inputs import Inputs, records

SEED_SET = SETS / SEED_SOURCE


class Seed(NamedTuple):
    """A failure of the original model that was used to collect images."""

    image_id: str
    row: int  # of the seed set's manifest
    label: int
    predicted: int  # by the original model


def draw_seeds(inputs: Inputs) -> list[Seed]:
    """A random draw of the seeds to show, one from each debug class in turn."""
    table = inputs.failures[inputs.failures["role"] == "seed"].sort_values(["class", "image_id"])
    table = table.iloc[inputs.generator().permutation(len(table))]
    table = table.assign(turn=table.groupby("class").cumcount())
    table = table.sort_values(["turn", "class"], kind="stable").head(inputs.params.seeds_shown)
    table = table.sort_values(["class", "turn"], kind="stable")
    table = table.assign(row=inputs.images(SEED_SET).rows_of(table["image_id"]))
    return [Seed(seed["image_id"], seed["row"], seed["class"], seed["predicted"]) for seed in records(table)]


def nearest_picks(inputs: Inputs, embedder: str, seed: Seed) -> pd.DataFrame:
    """The nearest debug-train picks of a seed, with ``row``, their manifest row in the pool."""
    picks = inputs.picks[embedder]
    of_seed = picks[(picks["seed_set"] == SEED_SOURCE) & (picks["seed_id"] == seed.image_id)]
    shown = of_seed.sort_values("rank").head(inputs.params.picks_shown)
    return shown.assign(row=inputs.pool.rows_of(shown["image_id"]))
