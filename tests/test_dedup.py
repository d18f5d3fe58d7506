import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.dedup import Leaks, border_pairs, class_thresholds, far_from, fates, filter_scores
from tests.reference import dedup as naive


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), quantile=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_thresholds_and_filter_equal_the_loops(seed, quantile):
    rng = np.random.default_rng(seed)
    train, test = (rng.integers(0, 4, (rows, 3)).astype(np.float32) for rows in (20, 9))
    train_labels, test_labels = np.arange(20) % 3, np.arange(9) % 3
    thresholds = class_thresholds(train, train_labels, test, test_labels, quantile=quantile)
    expected = naive.class_thresholds(train, train_labels, test, test_labels, quantile)
    assert thresholds == pytest.approx(expected)
    pool, pool_labels = rng.integers(0, 6, (30, 3)).astype(np.float32), rng.integers(0, 3, 30)
    leaks = far_from(pool, pool_labels, test, thresholds)
    columns = (leaks.keep.tolist(), leaks.nearest.tolist(), leaks.distance.tolist())
    assert list(zip(*columns, strict=True)) == naive.far_from(pool, pool_labels, test, thresholds)


def test_a_test_image_of_any_class_counts_and_equal_distance_is_too_near():
    pool, tests = np.array([[0.0], [0.0]]), np.array([[2.0], [9.0]])
    leaks = far_from(pool, np.array([0, 1]), tests, {0: 3.9, 1: 4.0})
    assert leaks.keep.tolist() == [True, False]


def test_bad_input_is_named():
    rows, labels = np.zeros((2, 1)), np.array([0, 1])
    with pytest.raises(ValueError, match=r"^train_labels: no image of class 1"):
        class_thresholds(rows[:1], labels[:1], rows, labels)
    with pytest.raises(ValueError, match=r"^test_labels: no image of class 1"):
        class_thresholds(rows, labels, rows[:1], labels[:1])
    with pytest.raises(ValueError, match=r"^test: the set is empty"):
        class_thresholds(rows, labels, rows[:0], labels[:0])
    with pytest.raises(ValueError, match=r"^quantile: must lie in"):
        class_thresholds(rows, labels, rows, labels, quantile=1.5)
    with pytest.raises(ValueError, match=r"^thresholds: class 1 of pool_labels has none"):
        far_from(rows, labels, rows, {0: 1.0})
    with pytest.raises(ValueError, match=r"^tests: the set is empty"):
        far_from(rows, labels, rows[:0], {0: 1.0, 1: 1.0})
    with pytest.raises(ValueError, match=r"^pool_labels: expected one label for each of 2 images"):
        far_from(rows, labels[:1], rows, {0: 1.0, 1: 1.0})
    with pytest.raises(ValueError, match=r"^pool: contains NaN"):
        far_from(rows * np.nan, labels, rows, {0: 1.0, 1: 1.0})


@pytest.fixture
def world():
    """Pool: a genuine, b copies a test image, c re-encodes it, d copies a, e a training image; f is far."""
    pool = pd.DataFrame(
        {
            "id": list("abcdef"),
            "label": [0, 0, 0, 0, 1, 1],
            "sha256": ["p0", "t1", "p2", "p0", "r0", "p5"],
            "planted": ["", "exact", "reencoded", "duplicate", "", "shifted"],
            "copy_of": ["", "y", "y", "a", "", "x"],
        }
    )
    tests = pd.DataFrame({"set": ["mfreq", "test"], "id": ["x", "y"], "sha256": ["t0", "t1"]})
    train = pd.DataFrame({"id": ["r"], "sha256": ["r0"]})
    distance = np.array([5.0, 0.5, 0.9, 5.0, 7.0, 2.0])
    thresholds = {0: 1.0, 1: 1.5}
    leaks = Leaks(distance > np.array([1, 1, 1, 1, 1.5, 1.5]), np.array([0, 1, 1, 0, 0, 0]), distance)
    return pool, fates(pool, tests, train, leaks, thresholds)


def test_fates_tell_copies_from_near_images(world):
    _, decided = world
    assert decided["keep"].tolist() == [True, False, False, False, False, True]
    assert decided["reason"].tolist() == ["", "leak", "leak", "duplicate", "duplicate", ""]
    assert decided["nearest_set"].tolist() == ["mfreq", "test", "test", "pool", "train", "mfreq"]
    assert decided["nearest_id"].tolist() == ["x", "y", "y", "a", "r", "x"]
    assert decided["distance"].tolist() == [5.0, 0.0, 0.9, 0.0, 0.0, 2.0]


def test_scores_count_each_planted_kind_at_any_threshold(world):
    pool, decided = world
    used = filter_scores(decided, pool, decided["threshold"].to_numpy())
    assert used["recall"] == {"exact": 1, "reencoded": 1, "shifted": 0, "brightness": None, "duplicate": 1}
    assert (used["leaks"], used["duplicates"], used["kept"], used["false_removal_rate"]) == (2, 2, 2, 0)
    wider = filter_scores(decided, pool, np.full(6, 6.0))
    assert wider["recall"]["shifted"] == 1
    assert wider["false_removal_rate"] == 0.5  # image a; the copy of a training image is no false removal
    narrow = filter_scores(decided, pool.drop(columns="planted"), np.zeros(6))
    assert narrow == {"images": 6, "kept": 3, "duplicates": 2, "leaks": 1}


def test_a_duplicate_is_found_when_its_younger_original_leaves():
    pool = pd.DataFrame({"id": ["c", "o"], "planted": ["duplicate", ""], "copy_of": ["o", ""]})
    decided = pd.DataFrame({"reason": ["", "duplicate"], "distance": [5.0, 0.0]})
    assert filter_scores(decided, pool, np.ones(2))["recall"]["duplicate"] == 1


def test_border_pairs_lie_on_both_sides_nearest_first(world):
    _, decided = world
    pairs = border_pairs(decided, 1)
    assert pairs["image_id"].tolist() == ["c", "f"]
    assert pairs["keep"].tolist() == [False, True]
