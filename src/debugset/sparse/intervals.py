"""How sure a share is where the same image is tried more than once: a bootstrap over images instead of tries."""

from typing import NamedTuple

import numpy as np

from debugset.base.arrays import ArrayLike, as_mask, as_values

INTERVAL = (0.025, 0.975)  # 95 %


class ShareInterval(NamedTuple):
    """A share with its 95 % interval."""

    share: float
    low: float
    high: float


def share_interval(values: ArrayLike, groups: ArrayLike, resamples: int, random_state: int) -> ShareInterval:
    """The share of true values, and its 95 % percentile bootstrap over groups; of no values all three are NaN.

    Each resample draws as many groups as there are, with replacement, and takes all values of each. The order of the
    values changes nothing.

    Args:
        values: booleans, one a try.
        groups: what each try belongs to, such as an image's id.
        resamples: at least 1.

    Raises:
        ValueError: values are no booleans, lengths differ, or ``resamples`` is below 1.
    """
    groups = as_values(groups, "groups", len(values), "values")
    values = as_mask(values, "values", len(groups), "groups")
    if resamples < 1:
        raise ValueError(f"resamples: must be at least 1, got {resamples}")
    if not len(values):
        return ShareInterval(np.nan, np.nan, np.nan)
    names, members = np.unique(groups, return_inverse=True)
    tries = np.bincount(members)
    true = np.bincount(members[values], minlength=len(names))
    rng = np.random.default_rng(random_state)
    shares = np.empty(resamples)
    for resample in range(resamples):
        drawn = rng.integers(len(names), size=len(names))
        shares[resample] = true[drawn].sum() / tries[drawn].sum()
    low, high = np.quantile(shares, INTERVAL)
    return ShareInterval(float(values.mean()), float(low), float(high))
