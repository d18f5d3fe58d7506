"""The entropy baseline and its strong form: scores against loops, modes, order."""

import math

import numpy as np
import pandas as pd
import pytest

from debugset.relations.accuracy import COLUMNS, entropy_modes, low_entropy_modes
from tests.reference import relations as naive

NAMES = ["a", "b", "c", "d"]
RELATIONS = pd.DataFrame(
    [("a", "b", "negative"), ("a", "c", "unrelated"), ("b", "d", "unrelated"), ("c", "d", "positive"),
     ("b", "c", "unrelated")],
    columns=COLUMNS[:3],
)  # fmt: skip


def attributes(random_state=0, count=50):
    rng = np.random.default_rng(random_state)
    shown = rng.random((count, 4)) < [0.1, 0.3, 0.5, 0.8]
    return pd.DataFrame(np.where(shown, 1, -1), columns=NAMES)


@pytest.mark.parametrize("random_state", range(4))
def test_scores_and_modes_equal_loops(random_state):
    table = attributes(random_state)
    found = entropy_modes(table, RELATIONS)
    assert found.columns.tolist() == COLUMNS
    assert len(found) == len(RELATIONS)
    shown = table.to_numpy().tolist()
    for row in found.to_dict("records"):
        a, b = NAMES.index(row["attribute_a"]), NAMES.index(row["attribute_b"])
        assert row["score"] == pytest.approx(naive.entropy(shown, a, b))
        counts = [naive.images_of_mode(shown, a, b, mode) for mode in naive.MODES]
        assert row["mode"] == naive.MODES[counts.index(min(counts))]
    assert found["score"].is_monotonic_decreasing


def test_the_strong_form_takes_unrelated_pairs_alone_and_turns_the_order_round():
    table = attributes()
    found, all_ = low_entropy_modes(table, RELATIONS, "unrelated"), entropy_modes(table, RELATIONS)
    assert found["score"].is_monotonic_increasing
    expected = all_[all_["relation"] == "unrelated"].iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected)
    assert low_entropy_modes(table, RELATIONS, "no such label").columns.tolist() == COLUMNS
    assert low_entropy_modes(table, RELATIONS, "no such label").empty


def test_of_equally_rare_modes_and_equal_scores_the_first_is_taken():
    table = pd.DataFrame({"a": [1, 1, -1, -1], "b": [1, -1, 1, -1], "c": [1, -1, -1, 1]})
    relations = pd.DataFrame([("a", "c", "x"), ("b", "c", "x"), ("a", "b", "x")], columns=COLUMNS[:3])
    for found in (entropy_modes(table, relations), low_entropy_modes(table, relations, "x")):
        assert found["mode"].tolist() == ["++"] * 3
        assert found["score"].tolist() == pytest.approx([math.log(3)] * 3)
        assert found[["attribute_a", "attribute_b"]].to_numpy().tolist() == [["a", "c"], ["b", "c"], ["a", "b"]]


def test_a_pair_that_no_image_shows_has_no_entropy():
    table = pd.DataFrame({"a": [-1, -1], "b": [-1, -1]})
    found = entropy_modes(table, pd.DataFrame([("a", "b", "x")], columns=COLUMNS[:3]))
    assert found["score"].tolist() == [0]
    assert found["mode"].tolist() == ["++"]
