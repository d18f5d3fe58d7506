"""The study's runs: which networks there are, what they are called, and the training sets that they accept."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from debugset.images.sets import open_set, write_set
from debugset.relations.runs import attributes_of_tests, checked_attributes, runs
from tests.relations.worlds import attributed_set, attributes_params, relations_params


def test_every_seed_has_an_unbiased_run_and_one_for_every_pair_and_level():
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
    found = checked_attributes(binary, attributes_params())
    assert found.to_dict("list") == {"hat": [1, -1, 1], "bag": [-1, -1, 1]}
    graded = images_with(tmp_path / "graded", hat=[1.0, -1, 1], bag=[-1, 0.5, 1])
    with pytest.raises(ValueError, match=r"graded: attribute `bag` has values other than \+1 and -1; say"):
        checked_attributes(graded, attributes_params())
    assert checked_attributes(graded, attributes_params(loss="squared"))["bag"].tolist() == [-1, 0.5, 1]


@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_images_without_attributes_are_refused_but_no_images_are_not(tmp_path, loss):
    images_with(tmp_path / "some", hat=[1])
    images = open_set(tmp_path / "some")
    images.manifest = images.manifest.drop(columns="attribute:hat")
    with pytest.raises(ValueError, match=r"some: its manifest has no column `attribute:NAME`; add one"):
        checked_attributes(images, attributes_params(loss=loss))
    (tmp_path / "none").mkdir()
    write_set(tmp_path / "none", [], ("image",))
    assert checked_attributes(open_set(tmp_path / "none"), attributes_params(loss=loss)).empty


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"pairs": [["a", "a"]]}, "a is paired with itself"),
        ({"pairs": [["a", "b"], ["a", "b"]]}, "a value comes twice"),
        ({"pairs": [["a", "b", "c"]]}, "at most 2 items"),
        ({"taus": [0.5, 0.5]}, "a value comes twice"),
        ({"taus": [0.0]}, "greater than 0"),
        ({"taus": [1.1]}, "less than or equal to 1"),
        ({"random_states": []}, "at least 1 item"),
        ({"random_states": [1, 1]}, "a value comes twice"),
        ({"loss": "hinge"}, "'logistic' or 'squared'"),
    ],
)
def test_settings_that_make_no_study_are_refused(changes, line):
    with pytest.raises(ValidationError, match=line):
        attributes_params(**changes)


@pytest.mark.parametrize("top", [[], [3, 1], [1, 1], [0]])
def test_the_numbers_of_modes_ascend(top):
    with pytest.raises(ValidationError):
        relations_params(top=top)


def test_the_recipe_is_the_section_without_smoothing():
    params = attributes_params(steps=9, batch=4, augmentation="shift_flip", shift=2, channels_last=True)
    recipe = params.recipe()
    assert recipe.label_smoothing == 0
    shared = {name: value for name, value in recipe.model_dump().items() if name != "label_smoothing"}
    assert shared == {name: getattr(params, name) for name in shared}


def test_images_that_are_not_square_are_accepted(tmp_path):
    table = pd.DataFrame({"hat": [1, -1]})
    wide = attributed_set(tmp_path / "wide", np.zeros((2, 4, 6, 3), np.uint8), table)
    assert checked_attributes(wide, attributes_params())["hat"].tolist() == [1, -1]


def test_test_images_need_every_attribute_of_the_training_set_but_there_may_be_none(tmp_path):
    images = images_with(tmp_path / "test", hat=[1, -1], bag=[-1, 1])
    assert attributes_of_tests(images, ["bag"]).to_dict("list") == {"bag": [-1, 1]}
    with pytest.raises(ValueError, match=r"test: its manifest has no column `attribute:shoe`"):
        attributes_of_tests(images, ["hat", "shoe"])
    (tmp_path / "none").mkdir()
    write_set(tmp_path / "none", [], ("image",))
    found = attributes_of_tests(open_set(tmp_path / "none"), ["hat", "shoe"])
    assert (len(found), found.columns.tolist()) == (0, ["hat", "shoe"])
