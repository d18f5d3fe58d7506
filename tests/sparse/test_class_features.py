"""What a class rests on: its features in order, with their parts of its weight; and each feature's pictures once."""

import numpy as np
import pytest

from debugset.models.registry import find_architecture
from debugset.sparse.class_features import CLASS_FEATURE_COLUMNS, class_feature_pictures, class_features
from debugset.sparse.layer import DecisionLayer
from debugset.visuals.feature_pictures import PICTURE_COLUMNS, Embedder
from debugset.visuals.params import VisualsParams
from tests.visuals.toys import reddening_images, small_resnet

VISUALS = VisualsParams(attack_radius=1.0, attack_step=0.5, attack_steps=1)


def made_layer(weights, scales):
    weights = np.asarray(weights, np.float64)
    return DecisionLayer(weights, np.zeros(weights.shape[1]), np.zeros(len(weights)), np.asarray(scales, np.float64))


@pytest.fixture
def layer():
    """Class a uses four features, the last a constant in training; class b none; class c one."""
    return made_layer([[1, 0, 0], [3, 0, 0], [-2, 0, 5], [0, 0, 0], [7, 0, 0]], [2, 2, 1, 1, 0])


def test_features_come_by_importance_with_their_part_of_the_class_s_weight_of_that_sign(layer):
    found = class_features(layer, ["a", "b", "c"], 10)
    assert found.columns.tolist() == CLASS_FEATURE_COLUMNS
    assert found["class"].tolist() == ["a", "a", "a", "a", "c"]
    assert found["rank"].tolist() == [0, 1, 2, 3, 0]
    assert found["feature"].tolist() == [1, 0, 2, 4, 2]
    assert found["weight"].tolist() == [3, 1, -2, 7, 5]
    assert found["importance"].tolist() == [6, 2, -2, 0, 5]
    assert found["share"].tolist() == [0.75, 0.25, 1, 0, 1]


def test_what_is_not_shown_counts_in_the_shares(layer):
    found = class_features(layer, ["a", "b", "c"], 1)
    assert found["feature"].tolist() == [1, 2]
    assert found["share"].tolist() == [0.75, 1]


def test_a_layer_without_features_lists_none():
    found = class_features(made_layer(np.zeros((3, 2)), np.ones(3)), ["a", "b"], 4)
    assert found.empty
    assert found.columns.tolist() == CLASS_FEATURE_COLUMNS


def test_each_class_needs_a_name(layer):
    with pytest.raises(ValueError, match=r"^classes: the layer has 3, got 2 names; name each once$"):
        class_features(layer, ["a", "b"], 4)


def test_a_feature_of_two_classes_is_pictured_once_on_the_strongest_images_of_the_set(layer, tmp_path):
    images = reddening_images(tmp_path)
    features = np.zeros((12, 96), np.float32)
    features[:, 0] = np.arange(12)
    features[:, 2] = -np.arange(12)
    embedder = Embedder(small_resnet(), find_architecture("test_resnet"), features)
    listed = class_features(layer, ["a", "b", "c"], 3)
    found = class_feature_pictures(listed, embedder, images, VISUALS)
    assert found.columns.tolist() == PICTURE_COLUMNS
    assert found["feature"].drop_duplicates().tolist() == [0, 1, 2]
    assert len(found) == 3 * 4 * 6
    shown = found[found["kind"] == "activating"].groupby("feature")["image_id"].apply(list)
    assert shown[0] == [f"image-{place:02}" for place in range(11, 5, -1)]
    assert shown[1] == shown[2] == [f"image-{place:02}" for place in range(6)]  # of equal ones the first
    none = class_feature_pictures(listed.head(0), embedder, images, VISUALS)
    assert none.empty
    assert none.columns.tolist() == PICTURE_COLUMNS
    with pytest.raises(ValueError, match=r"^embedder: has the features of 11 images, but .* has 12; pass those of"):
        class_feature_pictures(listed, embedder._replace(features=features[:11]), images, VISUALS)
