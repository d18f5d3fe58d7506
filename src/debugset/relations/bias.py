"""Biased training sets: images in which two attributes differ are removed (the paper's experiment 2)."""

import numpy as np
import pandas as pd
from jaxtyping import Int64


def biased_rows(
    attributes: pd.DataFrame, pair: tuple[str, str] | None, tau: float, count: int | None, seed: int
) -> Int64[np.ndarray, " m"]:
    """The images of a training set that is biased at a level, ascending.

    With one seed, the images left at a higher level are among those left at a lower one.

    Args:
        attributes: one row an image, positive where the attribute is there.
        pair: two attributes; None leaves the set unbiased.
        tau: share of the images in which just one of them is there that is removed, from 0 to 1.
        count: how many of the images left to take; None takes all.
        seed: of both choices.

    Raises:
        ValueError: an attribute is unknown, or fewer than ``count`` images are left.
    """
    if unknown := [name for name in pair or () if name not in attributes]:
        raise ValueError(f"attributes.pairs: {unknown[0]} is no attribute; there are {', '.join(map(str, attributes))}")
    rng = np.random.default_rng([seed, 1])
    order, removed = rng.permutation(len(attributes)), np.empty(0, np.int64)
    if pair is not None:
        there = attributes[list(pair)].to_numpy() > 0
        opposite = order[there[order, 0] != there[order, 1]]
        removed = opposite[: round(tau * len(opposite))]
    left = np.setdiff1d(order, removed)
    if count is None:
        return left
    if len(left) < count:
        of = f"a bias of {tau:g} of {' and '.join(pair)}" if pair else "the training set"
        raise ValueError(
            f"attributes.images: {count} images are asked for, but {of} leaves {len(left)}; "
            "lower it, or make more images"
        )
    return np.sort(rng.permutation(left)[:count])
