"""The same failure modes on other models: error rates before and after mending, on the held-out half."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from debugset.dcd.accuracy import INTERVAL, bootstrap, correctness

ALL = "all"  # the images of all modes, each once
BASELINE = "retrain"


def remeasured(
    members: pd.DataFrame, predictions: pd.DataFrame, resamples: int = 1000, random_state: int = 0
) -> pd.DataFrame:
    """How often every variant fails on the held-out images of each mode.

    A mode's images stay the same for all variants: those of its group, by the original model, that its rule
    holds for.

    Args:
        members: mode, image_id, half, inside; of the stage `barlow`.
        predictions: variant, seed, image_id, label, predicted; every variant and seed on all of these images.
        resamples: bootstrap samples over images, and over seeds where there are several.
        random_state: of the bootstrap.

    Returns:
        mode, variant, images, seeds, error_rate, low, high, error_coverage (the mode's share of the variant's
        errors in the group), base_error_rate (of the group); and by how much the error rate lies below that of
        ``retrain``: fewer, fewer_low, fewer_high. Modes without held-out images have no rows.

    Raises:
        ValueError: a variant or seed lacks some of the images, or has one twice.
    """
    rows = []
    for number, (mode, group, inside) in enumerate(_clusters(members)):
        of_group = predictions[predictions["image_id"].isin(group)]
        everywhere = correctness(of_group)
        correct = correctness(of_group[of_group["image_id"].isin(inside)])
        sampled = bootstrap(correct, resamples, np.random.default_rng([random_state, number]))
        for variant, (seeds, right) in correct.items():
            errors, base = 1 - float(right.mean(dtype=np.float64)), everywhere[variant][1]
            low, high = np.quantile(1 - sampled[variant], INTERVAL)
            fewer = (np.nan,) * 3
            if BASELINE in correct and variant not in (BASELINE, "original"):
                difference = float(right.mean(dtype=np.float64) - correct[BASELINE][1].mean(dtype=np.float64))
                fewer = (difference, *np.quantile(sampled[variant] - sampled[BASELINE], INTERVAL))
            failures = float((1 - base).mean(axis=0).sum())
            covered = errors * right.shape[1] / failures if failures else np.nan
            base_rate = failures / base.shape[1]
            rows.append((mode, variant, right.shape[1], len(seeds), errors, low, high, covered, base_rate, *fewer))
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = [
    "mode", "variant", "images", "seeds", "error_rate", "low", "high", "error_coverage", "base_error_rate",
    "fewer", "fewer_low", "fewer_high",
]  # fmt: skip


def _clusters(members: pd.DataFrame) -> Iterator[tuple[str, set[str], set[str]]]:
    """Each mode with the held-out images of its group and those that the rule holds for; then all together."""
    heldout = members[members["half"] == "heldout"]
    if not heldout["inside"].any():
        return
    for mode, images in heldout.groupby("mode", sort=False):
        if images["inside"].any():
            yield str(mode), set(images["image_id"]), set(images.loc[images["inside"], "image_id"])
    yield ALL, set(heldout["image_id"]), set(heldout.loc[heldout["inside"], "image_id"])
