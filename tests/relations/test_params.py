"""The sections' rules, and the recipe that attribute networks train by."""

import pytest
from pydantic import ValidationError

from tests.relations.worlds import attributes_params, relations_params


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"pairs": [["a", "a"]]}, "a is paired with itself"),
        ({"pairs": [["a", "b"], ["a", "b"]]}, "a value comes twice"),
        ({"pairs": [["a", "b", "c"]]}, "at most 2 items"),
        ({"pairs": [["cafe\u0301", "caf\u00e9"]]}, "is paired with itself"),
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


def test_names_are_in_the_form_that_attributes_have():
    assert attributes_params(pairs=[["cafe\u0301", "bag"]]).pairs == [["caf\u00e9", "bag"]]
    assert relations_params(unrelated="e\u0301gal").unrelated == "\u00e9gal"


def test_the_recipe_is_the_section_without_smoothing():
    params = attributes_params(steps=9, batch=4, augmentation="shift_flip", shift=2, channels_last=True)
    recipe = params.recipe()
    assert recipe.label_smoothing == 0
    shared = {name: value for name, value in recipe.model_dump().items() if name != "label_smoothing"}
    assert shared == {name: getattr(params, name) for name in shared}
