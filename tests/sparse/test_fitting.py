"""The layers of a model: fitted on a part of the training images, chosen, and measured on other sets."""

import numpy as np
import pytest
import torch

from debugset.models.classifier import build
from debugset.models.registry import find_architecture
from debugset.sparse.elastic_net import elastic_net_path
from debugset.sparse.fitting import chosen_layers, fit_model, fit_path, own_layer, path_frame, split
from debugset.sparse.layer import DecisionLayer
from tests.features.shards import in_shards
from tests.sparse.fitting_toys import CLASSES, WIDTH, image_set, params
from tests.visuals.toys import pixels, small_resnet

TRAIN, TEST = image_set("train", 120, 0), image_set("test", 45, 1)


@pytest.fixture(scope="module")
def path():
    return fit_path(TRAIN, CLASSES, params())


def test_a_random_share_is_kept_apart():
    first, second = split(40, 0.25, 0)
    assert (len(first), len(second)) == (30, 10)
    assert sorted([*first.tolist(), *second.tolist()]) == list(range(40))
    assert (np.diff(first) > 0).all() and (np.diff(second) > 0).all()
    assert [part.tolist() for part in split(40, 0.25, 0)] == [first.tolist(), second.tolist()]
    assert split(40, 0.25, 1)[1].tolist() != second.tolist()
    assert second.tolist() != list(range(30, 40))


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_a_share_that_leaves_one_side_empty_is_refused(share):
    with pytest.raises(ValueError, match=rf"^sparse.validation: {share} of 10 training images leaves no image"):
        split(10, share, 0)


def test_a_path_is_fitted_on_one_part_and_measured_on_the_other(path):
    first, second = split(120, 0.25, 3)
    expected = elastic_net_path(TRAIN.features[first], TRAIN.labels[first], classes=CLASSES, n_lambdas=8, epsilon=0.01)
    np.testing.assert_array_equal(path.weights, expected.weights)
    for place in range(len(path)):
        logits = TRAIN.features[second].astype(np.float64) @ path.weights[place].astype(np.float64) + path.bias[place]
        right = (logits.argmax(axis=1) == TRAIN.labels[second]).sum()
        assert path.accuracy[place] == pytest.approx(right / 30)
    assert path.features_per_class[0] == 0
    assert len(path) == 9  # the dense end on top


def test_a_class_without_training_images_has_its_place_in_every_layer():
    path = fit_path(TRAIN, CLASSES + 1, params())
    assert path.bias.shape == (9, CLASSES + 1)
    assert not path.weights[:, :, CLASSES].any()


def test_features_in_shards_give_the_same_path(path):
    shards = TRAIN._replace(features=in_shards(TRAIN.features, np.arange(120) % 4))
    np.testing.assert_array_equal(fit_path(shards, CLASSES, params()).weights, path.weights)


def test_accuracies_of_a_path_equal_a_plain_loop_s(path):
    shards = TEST._replace(features=in_shards(TEST.features, np.arange(45) % 2))
    table = path_frame(path, {"test": TEST, "other": shards})
    assert list(table.columns) == [
        "place", "lambda", "features", "objective", "kkt", "steps", "validation", "test", "other",
    ]  # fmt: skip
    for place in range(len(path)):
        right = 0
        for row, label in zip(TEST.features.astype(np.float64), TEST.labels, strict=True):
            right += (row @ path.weights[place] + path.bias[place]).argmax() == label
        assert table["test"][place] == table["other"][place] == pytest.approx(right / 45)
    np.testing.assert_array_equal(table["validation"], path.accuracy)
    np.testing.assert_array_equal(table["lambda"], path.lambdas)
    np.testing.assert_array_equal(table["features"], path.features_per_class)
    np.testing.assert_array_equal(table["kkt"], path.kkt)


def test_the_share_of_right_predictions():
    layer = DecisionLayer(np.eye(2), np.zeros(2), np.zeros(2), np.ones(2))
    assert layer.accuracy(np.array([[1.0, 0], [0, 1], [1, 0], [1, 0]]), np.array([0, 1, 1, 0])) == 0.75


def test_the_layer_is_chosen_as_the_parameters_say(path):
    by_features = chosen_layers(path, params(choose="features", features=1.5))
    assert by_features["dense"] == 8
    assert path.features_per_class[by_features["sparse"]] <= 1.5 < path.features_per_class[by_features["sparse"] + 1]
    best = chosen_layers(path, params(choose="validation"))["sparse"]
    assert path.accuracy[best] == path.accuracy.max()
    sparser = chosen_layers(path, params(choose="accuracy", points=30))["sparse"]
    assert path.accuracy[sparser] >= path.accuracy.max() - 0.3
    assert path.features_per_class[sparser] < path.features_per_class[best]


def test_a_network_s_own_layer_gives_its_logits():
    network = small_resnet()
    images = pixels(7)
    with torch.inference_mode():
        features, logits = network.features(images).numpy(), network(images).numpy()
    width = features.shape[1]
    layer = own_layer(network, np.zeros(width), np.ones(width))
    np.testing.assert_allclose(layer.logits(features), logits, rtol=1e-4, atol=1e-5)
    assert layer.features_per_class == width
    assert own_layer(network, np.zeros(width + 1), np.ones(width + 1)) is None  # of other features
    without_head = build(find_architecture("test_resnet"), 0)
    assert own_layer(without_head, np.zeros(width), np.ones(width)) is None


def test_a_last_layer_without_a_bias_adds_none():
    network = small_resnet()
    network.backbone.get_classifier().bias = None
    width = network.backbone.get_classifier().in_features
    assert own_layer(network, np.zeros(width), np.ones(width)).bias.tolist() == [0, 0, 0]


def test_the_layers_of_a_model_are_the_chosen_and_the_dense_one(path):
    fitted = fit_model({"train": TRAIN, "test": TEST}, CLASSES, None, params())
    assert list(fitted.layers) == ["sparse", "dense"]
    layers = fitted.tables["layers"]
    assert layers["layer"].tolist() == ["sparse", "dense"]
    assert "train" not in fitted.tables["path"]
    for name, row in zip(fitted.layers, layers.itertuples(), strict=True):
        assert row.features == fitted.layers[name].features_per_class
        assert row.test == fitted.layers[name].accuracy(TEST.features, TEST.labels)
    assert layers["features"][0] <= 2 < layers["features"][1]


def test_a_model_of_these_classes_is_measured_with_its_own_layer_too():
    network = small_resnet()
    sets = {}
    for name, count in (("train", 40), ("test", 12)):
        with torch.inference_mode():
            seen = network.features(pixels(count, random_state=count)).numpy()
        sets[name] = image_set(name, count, 0)._replace(features=seen)
    layers = fit_model(sets, CLASSES, network, params()).tables["layers"]
    assert layers["layer"].tolist() == ["sparse", "dense", "own"]
    own = layers.iloc[2]
    with torch.inference_mode():
        predicted = network(pixels(12, random_state=12)).argmax(dim=1).numpy()
    assert own["test"] == pytest.approx((predicted == sets["test"].labels).mean())
    assert own["features"] == sets["test"].features.shape[1] > WIDTH
    assert np.isnan(own[["place", "lambda", "kkt", "validation"]].astype(float)).all()
