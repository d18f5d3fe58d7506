"""The same failure modes on other models: error rates before and after mending, on the held-out half."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from debugset.dcd.accuracy import INTERVAL, Runs, bootstrap, correctness

ALL = "all"  # the images of all modes, each once
_BASELINE = "retrain"
COLUMNS = [
    "mode", "variant", "images", "runs", "error_rate", "low", "high", "error_coverage", "base_error_rate",
    "fewer", "fewer_low", "fewer_high",
]  # fmt: skip


def remeasure(
    members: pd.DataFrame, predictions: pd.DataFrame, resamples: int = 1000, random_state: int = 0
) -> pd.DataFrame:
    """How often every variant fails on the held-out images of each mode; intervals as in the accuracy table.

    A mode's images stay the same for all variants: those of its group, by the original model, that its rule
    holds for.

    Args:
        members: mode, image_id, half, inside; of the stage `barlow`.
        predictions: model, random_state, image_id, label, predicted; every run of every variant on all of these images.

    Returns:
        `COLUMNS`: error_coverage is the mode's share of the variant's errors in the group, base_error_rate the
        group's; fewer is by how much the error rate lies below that of ``retrain``, with its interval. Modes without
        held-out images have no rows.

    Raises:
        ValueError: a run lacks some of the images, or has one twice.
    """
    rows: list[tuple] = []
    for number, (mode, group, inside) in enumerate(_clusters(members)):
        of_group = predictions[predictions["image_id"].isin(group)]
        everywhere = correctness(of_group)
        correct = correctness(of_group[of_group["image_id"].isin(inside)])
        sampled = bootstrap(correct, resamples, np.random.default_rng([random_state, number]))
        for variant, runs in correct.items():
            low, high = np.quantile(1 - sampled[variant], INTERVAL)
            count, images = runs.right.shape
            base = everywhere[variant].right
            failures = float((1 - base).mean(axis=0).sum())  # of the group, a run
            error_rate = 1 - runs.accuracy
            covered = error_rate * images / failures if failures else np.nan
            rates = (error_rate, low, high, covered, failures / base.shape[1])
            rows.append((mode, variant, images, count, *rates, *_fewer(variant, correct, sampled)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _fewer(variant: str, correct: dict[str, Runs], sampled: dict[str, np.ndarray]) -> tuple[float, float, float]:
    """By how much a variant's error rate lies below plain retraining's, with its interval."""
    if _BASELINE not in correct or variant in (_BASELINE, "original"):
        return np.nan, np.nan, np.nan
    low, high = np.quantile(sampled[variant] - sampled[_BASELINE], INTERVAL)
    return correct[variant].accuracy - correct[_BASELINE].accuracy, float(low), float(high)


def _clusters(members: pd.DataFrame) -> Iterator[tuple[str, set[str], set[str]]]:
    """Each mode with the held-out images of its group and those that the rule holds for; then all together."""
    heldout = members[members["half"] == "heldout"]
    if not heldout["inside"].any():
        return
    for mode, images in heldout.groupby("mode", sort=False):
        if images["inside"].any():
            yield str(mode), set(images["image_id"]), set(images.loc[images["inside"], "image_id"])
    yield ALL, set(heldout["image_id"]), set(heldout.loc[heldout["inside"], "image_id"])
