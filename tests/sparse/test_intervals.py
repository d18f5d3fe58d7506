"""Intervals of shares: equal to the naive bootstrap, and as wide as groups that repeat make them."""

import numpy as np
import pandas as pd
import pytest

from debugset.sparse.intervals import share_interval
from tests.reference import intervals as naive


@pytest.mark.parametrize("as_type", [np.asarray, list, pd.Series])
def test_an_interval_equals_the_naive_bootstrap_over_uneven_groups(as_type):
    rng = np.random.default_rng(0)
    groups = rng.choice(["a", "b", "c", "d", "e"], 60, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    values = rng.random(60) < np.where(groups == "a", 0.8, 0.2)
    found = share_interval(as_type(values), as_type(groups), 200, 3)
    assert found == pytest.approx(naive.share_interval(values, groups, 200, 3))
    assert found.low < found.share < found.high
    order = rng.permutation(60)
    assert share_interval(values[order], groups[order], 200, 3) == found
    assert share_interval(values, groups, 200, 4) != found


def test_tries_on_the_same_image_tell_no_more_than_one():
    values = np.arange(40) % 4 == 0
    once = share_interval(values, np.arange(40), 500, 0)
    assert share_interval(np.repeat(values, 9), np.repeat(np.arange(40), 9), 500, 0) == once
    as_if_new = share_interval(np.repeat(values, 9), np.arange(360), 500, 0)
    assert as_if_new.high - as_if_new.low < (once.high - once.low) / 2


def test_a_share_of_nothing_is_unknown():
    assert np.isnan(share_interval([], [], 10, 0)).all()


@pytest.mark.parametrize(
    ("values", "groups", "resamples", "line"),
    [
        ([1, 0, 2], [0, 1, 2], 10, r"^values: expected True or False, but values\[2\] is 2"),
        ([1, 0], [0, 1, 2], 10, "^groups: expected one value for each of 2 values"),
        ([1, 0], [0, 1], 0, "^resamples: must be at least 1, got 0$"),
    ],
)
def test_what_has_no_share_is_named(values, groups, resamples, line):
    with pytest.raises(ValueError, match=line):
        share_interval(values, groups, resamples, 0)
