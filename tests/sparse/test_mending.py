"""Deleted weights: what they correct and break, on other images and on those of the blame."""

import numpy as np
import pytest

from debugset.sparse.layer import DecisionLayer
from debugset.sparse.mending import COLUMNS, DELETIONS, try_deletions
from debugset.sparse.removals import find_removals
from tests.features.shards import in_shards
from tests.reference import removals as naive
from tests.sparse.removal_toys import random_problem


def problem(n=300):
    """A layer, features, labels that it often hits, and the images' names."""
    layer, features, labels = random_problem(n, 6, 3)
    labels = np.where(np.arange(n) % 3, layer.predict(features), labels)
    return layer, features, labels, np.array([f"image {number}" for number in range(n)], dtype=object)


@pytest.mark.parametrize("removal", ["zero", "mean"])
def test_counts_equal_the_twin_s(removal):
    layer, features, labels, ids = problem()
    errors = find_removals(layer, features, labels, ids, removal=removal)
    found = try_deletions(layer, features, labels, ids, errors, removal=removal, random_state=7)
    half = np.random.default_rng(7).permutation(300) < 150
    for counted_on, blame, counted in (("other", half, ~half), ("same", half | ~half, half | ~half)):
        rows = found[found["counted_on"] == counted_on]
        single, together = rows[rows["deletion"] > 0], rows[rows["deletion"] == 0]
        mine = errors[errors["image_id"].isin(ids[blame]) & (errors["size"] == 1)]
        counts = mine.groupby(["predicted", "blamed"]).size()
        weights = sorted(counts.index, key=lambda weight: (-counts[weight], weight))[:DELETIONS]
        assert list(zip(single["class"], single["feature"], strict=True)) == weights
        assert single["blamed"].tolist() == [counts[weight] for weight in weights]
        assert single["deletion"].tolist() == [1, 2, 3, 4, 5]
        assert set(rows["images"]) == {counted.sum()}
        baseline = layer.baseline(removal)
        for weight, row in zip(weights, single.itertuples(), strict=True):
            assert (row.corrected, row.broken) == naive.deletion(layer, features, labels, counted, [weight], baseline)
        expected = naive.deletion(layer, features, labels, counted, weights, baseline)
        assert together[["corrected", "broken"]].to_numpy().tolist() == [list(expected)]
        assert together[["feature", "class", "blamed"]].to_numpy().tolist() == [[-1, -1, single["blamed"].sum()]]
        assert single["corrected"].sum() > 0 and single["broken"].sum() > 0


def test_another_split_is_another_count_but_not_on_the_same_images():
    layer, features, labels, ids = problem()
    errors = find_removals(layer, features, labels, ids)
    first, again, other = (
        try_deletions(layer, features, labels, ids, errors, random_state=random_state) for random_state in (0, 0, 1)
    )
    assert first.equals(again) and not first.equals(other)
    assert first[first["counted_on"] == "same"].equals(other[other["counted_on"] == "same"])


def test_of_equally_blamed_weights_the_lower_class_and_feature_come_first():
    layer = DecisionLayer(np.array([[0, 2.0], [2, 0], [2, 0]]), np.array([0.0, 1]), np.zeros(3), np.ones(3))
    features = np.array([[0, 0, 1.0], [0, 1, 0], [1, 0, 0]])
    labels = np.array([1, 1, 1])
    errors = find_removals(layer, features, labels, range(3))
    assert errors["blamed"].tolist() == [2, 1]
    found = try_deletions(layer, features, labels, range(3), errors)
    same = found[found["counted_on"] == "same"]
    assert same[["class", "feature", "corrected", "broken"]].to_numpy().tolist() == [
        [0, 1, 1, 0],
        [0, 2, 1, 0],
        [-1, -1, 2, 0],
    ]


def test_without_blame_there_are_no_deletions():
    layer, features, _, ids = problem(20)
    labels = layer.predict(features)
    found = try_deletions(layer, features, labels, ids, find_removals(layer, features, labels, ids))
    assert len(found) == 0 and list(found.columns) == COLUMNS


def test_features_in_shards_give_the_same_counts():
    layer, features, labels, ids = problem()
    errors = find_removals(layer, features, labels, ids)
    shards = in_shards(features, np.arange(300) % 4)
    found = try_deletions(layer, shards, labels, ids, errors)
    assert found.equals(try_deletions(layer, features, labels, ids, errors))
    assert found["corrected"].sum() > 0
