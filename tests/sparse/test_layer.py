"""A decision layer: logits, the order of a class's features, and what a removed feature becomes."""

import numpy as np
import pytest

from debugset.sparse import layer as module
from debugset.sparse.layer import DecisionLayer


@pytest.fixture
def layer() -> DecisionLayer:
    weights = np.array([[2.0, 0.0], [0.0, 0.0], [-0.5, 0.0], [1.0, 0.0]])
    return DecisionLayer(weights, np.array([0.0, 1.0]), np.arange(4.0), np.array([1.0, 1.0, 8.0, 2.0]))


def test_a_class_s_features_come_by_the_importance_of_standardised_ones(layer: DecisionLayer) -> None:
    assert layer.used(0).tolist() == [2, 0, 3]  # 4, 2 and 2: of equal ones the first
    assert layer.used(1).tolist() == []
    assert layer.features_per_class == 1.5


def test_logits_are_linear_and_equal_ones_go_to_the_first_class(layer: DecisionLayer) -> None:
    features = np.array([[0.5, 9, 0, 0], [0, 9, 0, 0]], np.float32)
    assert layer.logits(features).tolist() == [[1.0, 1.0], [0.0, 1.0]]
    assert layer.predict(features).tolist() == [0, 1]
    with pytest.raises(ValueError, match="features: expected 4 features an image"):
        layer.logits(features[:, :3])


def test_a_removed_feature_becomes_zero_or_its_mean(layer: DecisionLayer) -> None:
    assert layer.baseline("zero").tolist() == [0, 0, 0, 0]
    assert layer.baseline("mean").tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="removal: expected zero or mean, got 'none'"):
        layer.baseline("none")


def test_accuracy_counts_the_last_uneven_block_too(layer: DecisionLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS_AT_A_TIME", 2)
    features = np.zeros((5, 4))
    features[:3, 0] = 1  # the first class, then the second
    assert layer.accuracy(features, np.array([0, 1, 0, 1, 1])) == 0.8
    assert layer.accuracy(features, np.array([0, 0, 0, 1, 0])) == 0.8


def test_labels_beyond_the_layer_s_classes_are_refused(layer: DecisionLayer) -> None:
    assert layer.check_labels([0, 1], 2).tolist() == [0, 1]
    with pytest.raises(ValueError, match="labels: 2 is none of the layer's 2 classes; pass indices into them"):
        layer.check_labels([0, 2], 2)
