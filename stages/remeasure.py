"""Stage remeasure: every variant on the failure modes of the original model."""

from pathlib import Path

import pandas as pd

from debugset.barlow.params import RemeasureParams
from debugset.base.command import run
from debugset.base.files import write_parquet
from debugset.base.params import load
from debugset.dcd.remeasure import remeasured


def main() -> None:
    """Write every variant's error rate on the held-out images of each mode."""
    params = load("remeasure", RemeasureParams)
    original = pd.read_parquet("data/errors/predictions.parquet")
    original = original[original["model"] == "original"].assign(variant="original", seed=0)
    variants = pd.read_parquet("data/predictions.parquet")
    predictions = pd.concat([original[list(variants.columns)], variants], ignore_index=True)
    predictions = predictions[predictions["set"] == "deployment"]
    members = pd.read_parquet("data/barlow/members.parquet")
    table = remeasured(members, predictions, params.resamples, params.random_state)
    write_parquet(Path("data/remeasured.parquet"), table)


if __name__ == "__main__":
    run(main)
