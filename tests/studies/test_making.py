import numpy as np
import pytest

from tests.studies.toys import toy_kit


@pytest.mark.parametrize("kind", ["simulatability", "misclassification"])
def test_a_feature_is_shown_by_the_pictures_that_activate_it_most(inputs, kind):
    kit = toy_kit(inputs, kind)
    assert set(kit.pictures) == {feature for task in kit.tasks for feature in task.features}
    for feature, ids in kit.pictures.items():
        order = np.argsort(-inputs.picture_features[:, feature], kind="stable")[:6]
        assert ids == tuple(inputs.pictures.ids[order])


def test_a_kit_knows_what_it_was_made_of(inputs):
    kit = toy_kit(inputs, largest=True, layer="dense")
    assert kit.about == {
        "model": "robust", "layer": "dense", "features": "largest", "random_state": 0,
        "images": "diagnosis", "pictures": "test",
    }  # fmt: skip
    assert len(kit.tasks) == 6
    drawn = toy_kit(inputs, largest=True, tasks=30).tasks
    assert {task.features for task in drawn if task.target == 0} == {(0, 1, 2, 3, 4)}


def test_descriptions_are_of_the_layer_s_features_or_of_barlow_s(inputs):
    kit = toy_kit(inputs, "description", tasks=50)
    assert {task.feature for task in kit.tasks} == {0, 1, 2, 4, 5, 6, 8, 9, 10}  # that speak for a class
    assert kit.pictures == {}  # the tasks' own images show the feature
    barlow = inputs._replace(layer=None, pairs=[(11, 2), (3, 0)])
    assert {task.feature for task in toy_kit(barlow, "description").tasks} == {3, 11}


@pytest.mark.parametrize("kind", ["simulatability", "misclassification"])
def test_other_kinds_need_a_layer(inputs, kind):
    with pytest.raises(ValueError, match=f"layer: {kind} needs a decision layer"):
        toy_kit(inputs._replace(layer=None), kind)


def test_a_misclassification_kit_needs_errors(inputs):
    with pytest.raises(ValueError, match="errors: misclassification needs errors with a blamed feature"):
        toy_kit(inputs._replace(errors=None), "misclassification")
