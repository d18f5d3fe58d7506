"""Biased training sets: what is removed, how much of it, and what stays the same."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from debugset.relations.runs import biased_rows

TAUS = (0.0, 0.25, 0.5, 0.9, 1.0)


def attributes(count=200, random_state=0):
    rng = np.random.default_rng(random_state)
    return pd.DataFrame(np.where(rng.random((count, 3)) < 0.4, 1, -1), columns=["a", "b", "c"])


def opposite(table, rows):
    return sum(table["a"][row] * table["b"][row] < 0 for row in rows)


@pytest.mark.parametrize("random_state", range(3))
def test_a_level_removes_its_share_of_the_images_that_differ_and_no_other(random_state):
    table = attributes()
    differing, alike = opposite(table, range(200)), 200 - opposite(table, range(200))
    assert 0 < differing < 200
    for tau in TAUS:
        rows = biased_rows(table, ("a", "b"), tau, None, random_state)
        assert opposite(table, rows) == differing - round(tau * differing)
        assert len(rows) - opposite(table, rows) == alike
        assert rows.tolist() == sorted(set(rows.tolist()))


def test_the_images_of_a_higher_level_are_among_those_of_a_lower_one():
    left = [set(biased_rows(attributes(), ("a", "b"), tau, None, 4).tolist()) for tau in TAUS]
    for lower, higher in pairwise(left):
        assert higher < lower


def test_what_is_removed_is_drawn_and_not_the_first():
    table = attributes()
    found = [biased_rows(table, ("a", "b"), 0.5, None, random_state).tolist() for random_state in (0, 0, 1)]
    assert found[0] == found[1] != found[2]
    differing = np.flatnonzero(table["a"] != table["b"])
    kept = np.isin(differing, found[0])
    assert 0.3 < kept[: len(kept) // 2].mean() < 0.7


@pytest.mark.parametrize("tau", TAUS)
def test_a_count_is_kept_at_every_level(tau):
    table = attributes()
    rows, left = (biased_rows(table, ("a", "b"), tau, count, 2) for count in (80, None))
    assert len(rows) == len(set(rows.tolist())) == 80
    assert set(rows.tolist()) <= set(left.tolist())
    assert (np.diff(rows) > 0).all()
    assert np.array_equal(rows, biased_rows(table, ("a", "b"), tau, 80, 2))
    assert not np.array_equal(rows, biased_rows(table, ("a", "b"), tau, 80, 3))


def test_without_a_pair_or_a_level_nothing_is_removed():
    table = attributes()
    assert biased_rows(table, None, 0.0, None, 0).tolist() == list(range(200))
    for count in (None, 50):
        unbiased = biased_rows(table, None, 0.0, count, 1)
        assert np.array_equal(unbiased, biased_rows(table, ("a", "c"), 0.0, count, 1))


def test_continuous_attributes_are_there_where_they_are_positive():
    table = attributes()
    graded = table * np.random.default_rng(0).uniform(0.1, 3, table.shape)
    assert np.array_equal(*(biased_rows(each, ("a", "b"), 0.7, 60, 0) for each in (table, graded)))
    zero = pd.DataFrame({"a": [0.0, 1.0], "b": [-1.0, 1.0]})  # zero is not there: nothing differs
    assert biased_rows(zero, ("a", "b"), 1.0, None, 0).tolist() == [0, 1]


def test_too_few_images_and_an_unknown_attribute_are_named():
    table = attributes()
    left = len(biased_rows(table, ("a", "b"), 1.0, None, 0))
    assert len(biased_rows(table, ("a", "b"), 1.0, left, 0)) == left
    line = rf"attributes.images: {left + 1} images are asked for, but a bias of 1 of a and b leaves {left}; lower it"
    with pytest.raises(ValueError, match=line):
        biased_rows(table, ("a", "b"), 1.0, left + 1, 0)
    with pytest.raises(ValueError, match="but the training set leaves 200"):
        biased_rows(table, None, 0.0, 201, 0)
    with pytest.raises(ValueError, match=r"attributes.pairs: hat is no attribute; there are a, b, c"):
        biased_rows(table, ("a", "hat"), 0.5, None, 0)
