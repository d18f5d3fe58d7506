"""The runs: which networks there are, and their training sets: what is accepted, what a bias removes and leaves."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from debugset.images.sets import open_set, write_set
from debugset.relations.runs import biased_rows, read_test_attributes, read_training_attributes, runs
from tests.relations.worlds import attributed_set, attributes_params

TAUS = (0.0, 0.25, 0.5, 0.9, 1.0)


def test_every_random_state_has_an_unbiased_run_and_one_for_every_pair_and_level():
    found = runs(attributes_params(pairs=[["bag", "coat"], ["dress", "bag"]], taus=[0.5, 1.0], random_states=[7, 3]))
    assert [run.name for run in found] == [f"{number:03d}" for number in range(10)]
    assert [(run.random_state, run.pair, run.tau) for run in found[:5]] == [
        (7, None, 0), (7, ("bag", "coat"), 0.5), (7, ("bag", "coat"), 1.0), (7, ("dress", "bag"), 0.5),
        (7, ("dress", "bag"), 1.0),
    ]  # fmt: skip
    assert [run.random_state for run in found[5:]] == [3] * 5
    assert [run.words for run in found[:2]] == ["random_state 7, unbiased", "random_state 7, bag-coat at tau 0.5"]
    assert list(vars(found[1])) == ["name", "attribute_a", "attribute_b", "tau", "random_state"]


def test_without_pairs_only_the_unbiased_networks_are_left():
    assert [(run.pair, run.random_state) for run in runs(attributes_params(taus=[1.0], random_states=[0, 1]))] == [
        (None, 0),
        (None, 1),
    ]


def images_with(folder, **attributes):
    table = pd.DataFrame(attributes)
    return attributed_set(folder, np.zeros((len(table), 4, 4, 3), np.uint8), table)


def test_the_loss_decides_which_values_are_accepted(tmp_path):
    binary = images_with(tmp_path / "binary", hat=[1, -1, 1], bag=[-1, -1, 1])
    found = read_training_attributes(binary, attributes_params())
    assert found.to_dict("list") == {"hat": [1, -1, 1], "bag": [-1, -1, 1]}
    graded = images_with(tmp_path / "graded", hat=[1.0, -1, 1], bag=[-1, 0.5, 1])
    with pytest.raises(ValueError, match=r"graded: attribute `bag` has values other than \+1 and -1; say"):
        read_training_attributes(graded, attributes_params())
    assert read_training_attributes(graded, attributes_params(loss="squared"))["bag"].tolist() == [-1, 0.5, 1]


@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_images_without_attributes_are_refused_but_no_images_are_not(tmp_path, loss):
    images_with(tmp_path / "some", hat=[1])
    images = open_set(tmp_path / "some")
    images.manifest = images.manifest.drop(columns="attribute:hat")
    with pytest.raises(ValueError, match=r"some: its manifest has no column `attribute:NAME`; add one"):
        read_training_attributes(images, attributes_params(loss=loss))
    (tmp_path / "none").mkdir()
    write_set(tmp_path / "none", [], ("image",))
    assert read_training_attributes(open_set(tmp_path / "none"), attributes_params(loss=loss)).empty


def test_images_that_are_not_square_are_accepted(tmp_path):
    table = pd.DataFrame({"hat": [1, -1], "bag": [1, 1]})
    wide = attributed_set(tmp_path / "wide", np.zeros((2, 4, 6, 3), np.uint8), table)
    assert read_training_attributes(wide, attributes_params())["hat"].tolist() == [1, -1]


def test_test_images_need_every_attribute_of_the_training_set_but_there_may_be_none(tmp_path):
    images = images_with(tmp_path / "test", hat=[1, -1], bag=[-1, 1])
    assert read_test_attributes(images, ["bag"]).to_dict("list") == {"bag": [-1, 1]}
    with pytest.raises(ValueError, match=r"test: its manifest has no column `attribute:shoe`"):
        read_test_attributes(images, ["hat", "shoe"])
    (tmp_path / "none").mkdir()
    write_set(tmp_path / "none", [], ("image",))
    found = read_test_attributes(open_set(tmp_path / "none"), ["hat", "shoe"])
    assert (len(found), found.columns.tolist()) == (0, ["hat", "shoe"])


def annotations(count=200, random_state=0):
    rng = np.random.default_rng(random_state)
    return pd.DataFrame(np.where(rng.random((count, 3)) < 0.4, 1, -1), columns=["a", "b", "c"])


def opposite(table, rows):
    return sum(table["a"][row] * table["b"][row] < 0 for row in rows)


@pytest.mark.parametrize("random_state", range(3))
def test_a_level_removes_its_share_of_the_images_that_differ_and_no_other(random_state):
    table = annotations()
    differing, alike = opposite(table, range(200)), 200 - opposite(table, range(200))
    assert 0 < differing < 200
    for tau in TAUS:
        rows = biased_rows(table, ("a", "b"), tau, None, random_state)
        assert opposite(table, rows) == differing - round(tau * differing)
        assert len(rows) - opposite(table, rows) == alike
        assert rows.tolist() == sorted(set(rows.tolist()))


def test_the_images_of_a_higher_level_are_among_those_of_a_lower_one():
    left = [set(biased_rows(annotations(), ("a", "b"), tau, None, 4).tolist()) for tau in TAUS]
    for lower, higher in pairwise(left):
        assert higher < lower


def test_what_is_removed_is_drawn_and_not_the_first():
    table = annotations()
    found = [biased_rows(table, ("a", "b"), 0.5, None, random_state).tolist() for random_state in (0, 0, 1)]
    assert found[0] == found[1] != found[2]
    differing = np.flatnonzero(table["a"] != table["b"])
    kept = np.isin(differing, found[0])
    assert 0.3 < kept[: len(kept) // 2].mean() < 0.7


@pytest.mark.parametrize("tau", TAUS)
def test_a_count_is_kept_at_every_level(tau):
    table = annotations()
    rows, left = (biased_rows(table, ("a", "b"), tau, count, 2) for count in (80, None))
    assert len(rows) == len(set(rows.tolist())) == 80
    assert set(rows.tolist()) <= set(left.tolist())
    assert (np.diff(rows) > 0).all()
    assert np.array_equal(rows, biased_rows(table, ("a", "b"), tau, 80, 2))
    assert not np.array_equal(rows, biased_rows(table, ("a", "b"), tau, 80, 3))


def test_without_a_pair_or_a_level_nothing_is_removed():
    table = annotations()
    assert biased_rows(table, None, 0.0, None, 0).tolist() == list(range(200))
    for count in (None, 50):
        unbiased = biased_rows(table, None, 0.0, count, 1)
        assert np.array_equal(unbiased, biased_rows(table, ("a", "c"), 0.0, count, 1))


def test_continuous_attributes_are_there_where_they_are_positive():
    table = annotations()
    graded = table * np.random.default_rng(0).uniform(0.1, 3, table.shape)
    assert np.array_equal(*(biased_rows(each, ("a", "b"), 0.7, 60, 0) for each in (table, graded)))
    zero = pd.DataFrame({"a": [0.0, 1.0], "b": [-1.0, 1.0]})  # zero is not there: nothing differs
    assert biased_rows(zero, ("a", "b"), 1.0, None, 0).tolist() == [0, 1]


def test_too_few_images_and_an_unknown_attribute_are_named():
    table = annotations()
    left = len(biased_rows(table, ("a", "b"), 1.0, None, 0))
    assert len(biased_rows(table, ("a", "b"), 1.0, left, 0)) == left
    line = rf"attributes.images: {left + 1} images are asked for, but a bias of 1 of a and b leaves {left}; lower it"
    with pytest.raises(ValueError, match=line):
        biased_rows(table, ("a", "b"), 1.0, left + 1, 0)
    with pytest.raises(ValueError, match="but the training set leaves 200"):
        biased_rows(table, None, 0.0, 201, 0)
    with pytest.raises(ValueError, match=r"attributes.pairs: hat is no attribute; there are a, b, c"):
        biased_rows(table, ("a", "hat"), 0.5, None, 0)
