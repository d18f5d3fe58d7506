"""What failure modes cost: accuracies against loops, the means of table 1, and both baselines' rankings."""

import math

import numpy as np
import pandas as pd
import pytest

from debugset.relations.accuracy import (
    ACCURACIES,
    MEASURED,
    MODE_COLUMNS,
    accuracy_decrease,
    entropy_modes,
    low_entropy_modes,
    top_decrease,
)
from debugset.relations.truth import PAIR_COLUMNS
from tests.reference import relations as naive

NAMES = ["a", "b", "c"]
FOUR = ["a", "b", "c", "d"]
RELATIONS = pd.DataFrame(
    [("a", "b", "negative"), ("a", "c", "unrelated"), ("b", "d", "unrelated"), ("c", "d", "positive"),
     ("b", "c", "unrelated")],
    columns=PAIR_COLUMNS,
)  # fmt: skip
MODES = pd.DataFrame(
    [(a, b, mode) for a, b in (("a", "b"), ("c", "a"), ("b", "c")) for mode in naive.MODES],
    columns=["attribute_a", "attribute_b", "mode"],
)


@pytest.mark.parametrize("random_state", range(4))
def test_accuracies_equal_loops(random_state):
    rng = np.random.default_rng(random_state)
    shown = np.where(rng.random((25, 3)) < 0.2, 1, -1)
    right = rng.random((25, 3)) < 0.7
    found = accuracy_decrease(MODES, pd.DataFrame(shown, columns=NAMES), pd.DataFrame(right, columns=NAMES))
    assert found.columns.tolist() == [*MODES, *MEASURED]
    for row in found.to_dict("records"):
        a, b = NAMES.index(row["attribute_a"]), NAMES.index(row["attribute_b"])
        ordinary, in_mode = naive.accuracies(shown.tolist(), right.tolist(), a, b, row["mode"])
        assert row["ordinary"] == pytest.approx(ordinary, nan_ok=True)
        assert row["in_mode"] == pytest.approx(in_mode, nan_ok=True)
        assert row["decrease"] == pytest.approx(ordinary - in_mode, nan_ok=True)
        assert row["test_images"] == naive.images_of_mode(shown.tolist(), a, b, row["mode"])


def test_a_mode_without_test_images_has_no_accuracy_and_no_mode_no_row():
    shown = pd.DataFrame([[1, -1, 1], [-1, 1, 1]], columns=NAMES)
    found = accuracy_decrease(MODES.iloc[:1], shown, shown > 0)
    assert found["test_images"].tolist() == [0]
    assert found["ordinary"].tolist() == [1.0]
    assert found[["in_mode", "decrease"]].isna().all(axis=None)
    nothing = accuracy_decrease(MODES.iloc[:0], shown, shown > 0)
    assert nothing.empty
    assert nothing.columns.tolist() == [*MODES, *MEASURED]


def ranking(test_images, decrease=None):
    count = len(test_images)
    decrease = np.arange(count) / 10 if decrease is None else decrease
    return pd.DataFrame(
        {"ordinary": 0.9, "in_mode": 0.9 - decrease, "decrease": decrease, "test_images": test_images},
        index=range(count),
    )


def test_modes_with_few_test_images_are_passed_over_and_the_next_take_their_place():
    modes = ranking([50, 3, 20, 19, 60, 0, 30])
    modes.loc[[1, 3, 5], ["in_mode", "decrease"]] = np.nan
    found = top_decrease(modes, [1, 2, 3, 4], 20)
    assert found.columns.tolist() == ["top", "modes", "passed", "ordinary", "in_mode", "decrease"]
    assert found[["top", "modes", "passed"]].to_numpy().tolist() == [[1, 1, 0], [2, 2, 1], [3, 3, 2], [4, 4, 3]]
    assert found["decrease"].tolist() == pytest.approx([0, 0.1, 0.2, 0.3])
    assert found["in_mode"].tolist() == pytest.approx([0.9, 0.8, 0.7, 0.6])
    assert found["ordinary"].tolist() == pytest.approx([0.9] * 4)


def test_a_ranking_with_fewer_modes_than_asked_averages_those_and_says_how_many():
    found = top_decrease(ranking([50, 3, 20, 1]), [1, 5, 9], 20)
    assert found[["top", "modes", "passed"]].to_numpy().tolist() == [[1, 1, 0], [5, 2, 2], [9, 2, 2]]
    assert found["decrease"].tolist() == pytest.approx([0, 0.1, 0.1])


@pytest.mark.parametrize("modes", [ranking([]), ranking([1, 2])])
def test_where_no_mode_is_left_there_is_no_mean(modes):
    found = top_decrease(modes, [1, 3], 20)
    assert found["modes"].tolist() == [0, 0]
    assert found["passed"].tolist() == [len(modes)] * 2
    assert found[ACCURACIES].isna().all(axis=None)


def annotations(random_state=0, count=50):
    rng = np.random.default_rng(random_state)
    shown = rng.random((count, 4)) < [0.1, 0.3, 0.5, 0.8]
    return pd.DataFrame(np.where(shown, 1, -1), columns=FOUR)


@pytest.mark.parametrize("random_state", range(4))
def test_scores_and_modes_equal_loops(random_state):
    table = annotations(random_state)
    found = entropy_modes(table, RELATIONS)
    assert found.columns.tolist() == MODE_COLUMNS
    assert len(found) == len(RELATIONS)
    shown = table.to_numpy().tolist()
    for row in found.to_dict("records"):
        a, b = FOUR.index(row["attribute_a"]), FOUR.index(row["attribute_b"])
        assert row["score"] == pytest.approx(naive.entropy(shown, a, b))
        counts = [naive.images_of_mode(shown, a, b, mode) for mode in naive.MODES]
        assert row["mode"] == naive.MODES[counts.index(min(counts))]
    assert found["score"].is_monotonic_decreasing


def test_the_strong_form_takes_unrelated_pairs_alone_and_turns_the_order_round():
    table = annotations()
    found, all_ = low_entropy_modes(table, RELATIONS, "unrelated"), entropy_modes(table, RELATIONS)
    assert found["score"].is_monotonic_increasing
    expected = all_[all_["relation"] == "unrelated"].iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected)
    assert low_entropy_modes(table, RELATIONS, "no such label").columns.tolist() == MODE_COLUMNS
    assert low_entropy_modes(table, RELATIONS, "no such label").empty


def test_of_equally_rare_modes_and_equal_scores_the_first_is_taken():
    table = pd.DataFrame({"a": [1, 1, -1, -1], "b": [1, -1, 1, -1], "c": [1, -1, -1, 1]})
    relations = pd.DataFrame([("a", "c", "x"), ("b", "c", "x"), ("a", "b", "x")], columns=PAIR_COLUMNS)
    for found in (entropy_modes(table, relations), low_entropy_modes(table, relations, "x")):
        assert found["mode"].tolist() == ["++"] * 3
        assert found["score"].tolist() == pytest.approx([math.log(3)] * 3)
        assert found[["attribute_a", "attribute_b"]].to_numpy().tolist() == [["a", "c"], ["b", "c"], ["a", "b"]]


def test_a_pair_that_no_image_shows_has_no_entropy():
    table = pd.DataFrame({"a": [-1, -1], "b": [-1, -1]})
    found = entropy_modes(table, pd.DataFrame([("a", "b", "x")], columns=PAIR_COLUMNS))
    assert found["score"].tolist() == [0]
    assert found["mode"].tolist() == ["++"]
