import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.dcd import dedup
from debugset.dcd.dedup import (
    Leaks,
    border_pairs,
    class_distances,
    class_thresholds,
    decide_fates,
    far_from,
    filter_scores,
    removed_images,
)
from tests.base.inputs import BAD_LABELS, FEATURES, LABELS, error
from tests.features.shards import in_shards
from tests.reference import dedup as naive


def as_tuples(leaks):
    return list(zip(*(column.tolist() for column in leaks), strict=True))


@settings(max_examples=60, deadline=None)
@given(random_state=st.integers(0, 2**32), quantile=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_thresholds_and_filter_equal_the_loops(random_state, quantile):
    rng = np.random.default_rng(random_state)
    train, test = (rng.integers(0, 4, (rows, 3)).astype(np.float32) for rows in (20, 9))
    train_labels, test_labels = np.arange(20) % 3, np.arange(9) % 3
    distances = class_distances(train, train_labels, test, test_labels)
    thresholds = class_thresholds(distances, quantile)
    expected = naive.class_thresholds(train, train_labels, test, test_labels, quantile)
    assert thresholds == pytest.approx(expected)
    pool, pool_labels = rng.integers(0, 6, (30, 3)).astype(np.float32), rng.integers(0, 3, 30)
    leaks = far_from(pool, pool_labels, test, thresholds)
    expected = naive.far_from(pool, pool_labels, test, thresholds)
    assert as_tuples(leaks) == expected
    parts = in_shards(pool, rng.integers(0, 4, 30))
    with tempfile.TemporaryDirectory() as spool:
        by_shard = [far_from(parts, pool_labels, test, thresholds, spool=Path(spool)) for _ in range(2)]
    assert [as_tuples(found) for found in by_shard] == [expected] * 2
    again = class_distances(in_shards(train, train_labels % 2), train_labels, test, test_labels)
    assert class_thresholds(again, quantile) == thresholds


@pytest.fixture
def compared(monkeypatch):
    """How many pool images each call of the search compared."""
    calls = []
    search = dedup.nearest

    def counted(pool, *arguments, **named):
        calls.append(len(pool))
        return search(pool, *arguments, **named)

    monkeypatch.setattr(dedup, "nearest", counted)
    return calls


@pytest.fixture
def shards():
    """A pool of 11 in shards of 4, 4 and 3, its labels, tests and thresholds."""
    rng = np.random.default_rng(0)
    pool, tests = (rng.standard_normal((rows, 3)).astype(np.float32) for rows in (11, 6))
    return pool, np.arange(11) // 4, np.arange(11) % 2, tests, {0: 0.5, 1: 2.0}


def test_a_grown_pool_compares_its_new_shard_only(shards, compared, tmp_path):
    pool, owners, labels, tests, thresholds = shards
    far_from(in_shards(pool[:8], owners[:8]), labels[:8], tests, thresholds, spool=tmp_path)
    grown = far_from(in_shards(pool, owners), labels, tests, thresholds, spool=tmp_path)
    assert compared == [4, 4, 3]
    assert as_tuples(grown) == as_tuples(far_from(pool, labels, tests, thresholds))
    other = {0: 5.0, 1: 5.0}
    judged = far_from(in_shards(pool, owners), labels[::-1].copy(), tests, other, spool=tmp_path)
    assert compared == [4, 4, 3, 11]  # thresholds and labels compare nothing anew; the 11 are `far_from`'s
    assert as_tuples(judged) == as_tuples(far_from(pool, labels[::-1].copy(), tests, other))


def test_other_tests_or_features_are_compared_anew(shards, compared, tmp_path):
    pool, owners, labels, tests, thresholds = shards
    for changed in ("nothing", "a test image", "a pool image", "another order of tests"):
        if changed == "a test image":
            tests = tests + np.eye(6, 3, dtype=np.float32)
        elif changed == "a pool image":
            pool = pool.copy()
            pool[5] += 1
        elif changed == "another order of tests":
            tests = tests[::-1]
        found = far_from(in_shards(pool, owners), labels, tests, thresholds, spool=tmp_path)
        assert as_tuples(found) == naive.far_from(pool, labels, tests, thresholds)
    assert compared == [4, 4, 3, 4, 4, 3, 4, 4, 4, 3]


def test_a_killed_filter_goes_on_with_the_shards_that_are_left(shards, compared, tmp_path, monkeypatch):
    pool, owners, labels, tests, thresholds = shards
    search = dedup.nearest

    def killed(*arguments, **named):
        if len(compared) == 2:
            raise KeyboardInterrupt
        return search(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(dedup, "nearest", killed)
        with pytest.raises(KeyboardInterrupt):
            far_from(in_shards(pool, owners), labels, tests, thresholds, spool=tmp_path)
    found = far_from(in_shards(pool, owners), labels, tests, thresholds, spool=tmp_path)
    assert compared == [4, 4, 3]
    assert as_tuples(found) == naive.far_from(pool, labels, tests, thresholds)


def test_a_test_image_of_any_class_counts_and_equal_distance_is_too_near():
    pool, tests = np.array([[0.0], [0.0]]), np.array([[2.0], [9.0]])
    leaks = far_from(pool, np.array([0, 1]), tests, {0: 3.9, 1: 4.0})
    assert leaks.keep.tolist() == [True, False]


def test_bad_input_is_named(tmp_path):
    rows, labels = np.zeros((2, 1)), np.array([0, 1])
    with pytest.raises(ValueError, match=r"^train_labels: no image of class 1"):
        class_distances(rows[:1], labels[:1], rows, labels)
    with pytest.raises(ValueError, match=r"^test_labels: no image of class 1"):
        class_distances(rows, labels, rows[:1], labels[:1])
    with pytest.raises(ValueError, match=r"^test: the set is empty"):
        class_distances(rows, labels, rows[:0], labels[:0])
    with pytest.raises(ValueError, match=r"^quantile: must lie in"):
        class_thresholds({0: np.ones(2)}, 1.5)
    with pytest.raises(ValueError, match=r"^thresholds: class 1 of pool_labels has none"):
        far_from(rows, labels, rows, {0: 1.0})
    with pytest.raises(ValueError, match=r"^tests: the set is empty"):
        far_from(rows, labels, rows[:0], {0: 1.0, 1: 1.0})
    with pytest.raises(ValueError, match=r"^pool_labels: expected one value for each of 2 images"):
        far_from(rows, labels[:1], rows, {0: 1.0, 1: 1.0})
    with pytest.raises(ValueError, match=r"^pool: contains NaN"):
        far_from(rows * np.nan, labels, rows, {0: 1.0, 1: 1.0})
    parts = in_shards(rows, labels)
    with pytest.raises(ValueError, match=r"^tests: the set is empty"):
        far_from(parts, labels, rows[:0], {0: 1.0, 1: 1.0}, spool=tmp_path)
    with pytest.raises(ValueError, match=r"^tests: expected 1 features an image"):
        far_from(parts, labels, np.zeros((2, 3)), {0: 1.0, 1: 1.0}, spool=tmp_path)
    with pytest.raises(ValueError, match=r"^pool: contains NaN"):
        far_from(in_shards(rows * np.nan, labels), labels, rows, {0: 1.0, 1: 1.0}, spool=tmp_path)
    assert list(tmp_path.iterdir()) == []


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
    tests = pd.DataFrame({"set": ["seed_source", "test"], "id": ["x", "y"], "sha256": ["t0", "t1"]})
    train = pd.DataFrame({"id": ["r"], "sha256": ["r0"]})
    distance = np.array([5.0, 0.5, 0.9, 5.0, 7.0, 2.0])
    thresholds = {0: 1.0, 1: 1.5}
    leaks = Leaks(distance > np.array([1, 1, 1, 1, 1.5, 1.5]), np.array([0, 1, 1, 0, 0, 0]), distance)
    return pool, decide_fates(pool, tests, train, leaks, thresholds)


def test_fates_tell_copies_from_near_images(world):
    _, decided = world
    assert decided["keep"].tolist() == [True, False, False, False, False, True]
    assert decided["reason"].tolist() == ["", "leak", "leak", "duplicate", "duplicate", ""]
    assert decided["nearest_set"].tolist() == ["seed_source", "test", "test", "pool", "train", "seed_source"]
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


def test_removed_images_are_told_in_the_order_of_the_pool(world):
    pool, decided = world
    assert removed_images(decided, pool["id"].to_numpy(object)).tolist() == [False, True, True, True, True, False]
    with pytest.raises(ValueError, match=r"data/dedup/keep\.parquet: belongs to another version of the pool"):
        removed_images(decided, pool["id"].to_numpy(object)[::-1])


ROWS, CLASSES, TESTS = np.array([[0.0], [1.0], [4.0], [9.0]]), np.array([0, 1, 0, 1]), np.array([[0.5], [6.0]])


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_type_give_the_same_distances_and_leaks(kind):
    distances = class_distances(ROWS, LABELS[kind](CLASSES), TESTS, LABELS[kind](np.array([0, 1])))
    assert {label: of_class.tolist() for label, of_class in distances.items()} == {0: [0.25], 1: [9.0]}
    leaks = far_from(ROWS, LABELS[kind](CLASSES), TESTS, {0: 0.25, 1: 8.0})
    assert as_tuples(leaks) == [(False, 0, 0.25), (False, 0, 0.25), (True, 1, 4.0), (True, 1, 9.0)]


@pytest.mark.parametrize("kind", FEATURES)
def test_features_of_any_type_give_the_same_distances_and_leaks(kind):
    rows, tests = FEATURES[kind](ROWS), FEATURES[kind](TESTS)
    distances = class_distances(rows, CLASSES, tests, np.array([0, 1]))
    assert {label: of_class.tolist() for label, of_class in distances.items()} == {0: [0.25], 1: [9.0]}
    leaks = far_from(rows, CLASSES, tests, {0: 0.25, 1: 8.0})
    assert leaks.keep.tolist() == [False, False, True, True]
    leaks = far_from(ROWS.astype(np.uint8), CLASSES, [[1], [6]], {0: 0.25, 1: 8.0})
    assert leaks.distance.tolist() == [1.0, 0.0, 4.0, 9.0]


@pytest.mark.parametrize("kind", BAD_LABELS)
def test_labels_that_are_no_class_indices_are_refused(kind):
    make, line = BAD_LABELS[kind]
    with pytest.raises(ValueError, match=error("train_labels", line, 4)):
        class_distances(ROWS, make(4), ROWS, CLASSES)
    with pytest.raises(ValueError, match=error("test_labels", line, 4)):
        class_distances(ROWS, CLASSES, ROWS, make(4))
    with pytest.raises(ValueError, match=error("pool_labels", line, 4)):
        far_from(ROWS, make(4), TESTS, {0: 1.0, 1: 1.0})
