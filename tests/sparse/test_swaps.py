"""Flips on exchanged backgrounds: where, to what, and what a class's features have to do with it."""

import numpy as np
import pandas as pd
import pytest

from debugset.sparse.intervals import share_interval
from debugset.sparse.layer import DecisionLayer
from debugset.sparse.swaps import context_means, directed_frame, empty_frame, swap_rates, swaps_frame, usual_backgrounds
from tests.reference import swaps as naive

CONTEXTS = ["brick", "brick", "grass", "grass", "sand", "sand"]
PAIRS = {(0, "brick"), (1, "grass"), (2, "grass"), (2, "sand")}
IMAGES, CLASSES = 40, 4  # no context is usual for class 3


@pytest.fixture
def tries():
    """Labels and predictions of images, with flips of every kind."""
    rng = np.random.default_rng(0)
    labels = rng.integers(CLASSES, size=IMAGES)
    others = rng.integers(CLASSES, size=(IMAGES, len(CONTEXTS)))
    return labels, np.where(rng.random(others.shape) < 0.5, labels[:, None], others)


@pytest.fixture
def layer():
    """Class 2 uses a feature against it first, class 3 none."""
    weights = np.array([[2.0, 0, 0, 0], [1.0, 0.5, -3, 0], [0, 0, 1, 0], [0, 0.25, 0.5, 0]])
    return DecisionLayer(weights, np.zeros(4), np.zeros(4), np.ones(4))


def frame_of(labels, predicted):
    ids = [f"image-{row}" for row in range(len(labels))]
    return swaps_frame(ids, labels, CONTEXTS, predicted, usual_backgrounds(PAIRS, CONTEXTS, CLASSES))


def tuples(frame, *columns):
    return list(frame[list(columns)].itertuples(index=False, name=None))


def test_tries_equal_the_naive_twin(tries):
    labels, predicted = tries
    frame = frame_of(labels, predicted)
    rows = tuples(frame, "kind", "label", "context", "target", "flipped", "to_usual", "chance")
    assert rows == naive.swaps(labels.tolist(), CONTEXTS, predicted.tolist(), PAIRS, CLASSES)
    assert frame["image_id"].tolist() == [f"image-{row}" for row in range(IMAGES) for _ in CONTEXTS]


def test_backgrounds_alone_are_compared_with_the_classes_for_which_they_are_usual():
    predicted = np.array([0, 3, 2, 0, 2, 1])
    frame = empty_frame(CONTEXTS, predicted, usual_backgrounds(PAIRS, CONTEXTS, CLASSES))
    assert frame["to_usual"].tolist() == [True, False, True, False, True, False]
    assert frame["chance"].tolist() == [0.25, 0.25, 0.5, 0.5, 0.25, 0.25]
    assert tuples(frame.head(1), "kind", "label", "context", "target", "flipped") == [("empty", -1, "brick", 0, False)]
    assert frame["image_id"].is_unique
    assert list(frame.columns) == list(frame_of(np.array([0]), np.array([[0] * 6])).columns)


def test_the_mean_of_a_feature_on_a_context():
    features = np.array([[1, 2], [3, 4], [5, 9], [9, 9]], np.float32)
    means = context_means(features, pd.Series(["grass", "brick", "grass", "grass"], index=[5, 6, 7, 8]))
    assert means.index.tolist() == ["brick", "grass"]
    assert means.to_numpy().tolist() == [[3, 4], [5, 20 / 3]]


def test_directed_tries_equal_the_naive_twin(tries, layer):
    labels, predicted = tries
    means = pd.DataFrame(np.random.default_rng(1).random((3, 4)), index=["brick", "grass", "sand"])
    frame = directed_frame(layer, frame_of(labels, predicted), means, 2)
    rows = tuples(frame, "kind", "class", "feature", "label", "context", "target", "flipped")
    assert sorted(rows) == naive.directed(layer, labels.tolist(), CONTEXTS, predicted.tolist(), means, 2)
    assert set(tuples(frame, "class", "feature")) == {(0, 0), (0, 1), (1, 1), (1, 3), (2, 1), (2, 2)}


def test_a_feature_against_a_class_raises_it_where_it_is_low(tries, layer):
    means = pd.DataFrame([[0.0, 9, 0, 0], [0, 5, 0, 0], [0, 1, 0, 0]], index=["brick", "grass", "sand"])
    frame = directed_frame(layer, frame_of(*tries), means, 1)
    found = frame[frame["feature"] == 1].groupby(["class", "kind"])["context"].unique().map(list).to_dict()
    assert found[2, "raised"] == ["sand"]
    assert found[2, "lowered"] == ["brick"]
    assert found[1, "raised"] == ["brick"]


def test_a_layer_without_features_directs_nothing(tries):
    empty = DecisionLayer(np.zeros((4, 4)), np.zeros(4), np.zeros(4), np.ones(4))
    means = pd.DataFrame(np.zeros((3, 4)), index=["brick", "grass", "sand"])
    directed = directed_frame(empty, frame_of(*tries), means, 3)
    rates = swap_rates(frame_of(*tries), directed, 10, 0).set_index("measure")
    assert rates.loc[["directed_raised", "directed_lowered", "empty_to_usual"], "count"].tolist() == [0, 0, 0]
    assert rates.loc[["directed_raised", "empty_to_usual"], "value"].isna().all()


def test_rates_counted_by_hand(layer):
    usual = usual_backgrounds(PAIRS, CONTEXTS, CLASSES)
    predicted = np.array([[0, 3, 1, 3, 0, 2], [0, 0, 2, 0, 0, 0], [1, 1, 1, 1, 1, 1]])
    swaps = frame_of(np.array([0, 0, 1]), predicted)
    empty = empty_frame(CONTEXTS, np.array([0, 3, 2, 1, 2, 1]), usual)
    means = pd.DataFrame(np.eye(3, 4) + np.arange(4), index=["sand", "brick", "grass"])
    directed = directed_frame(layer, swaps, means, 1)
    rates = swap_rates(pd.concat([swaps, empty], ignore_index=True), directed, 500, 0).set_index("measure")
    assert rates["count"].to_dict() == {
        "flips_unusual": 12,
        "flips_usual": 6,
        "flips_to_usual": 4,
        "empty_to_usual": 6,
        "directed_raised": len(directed) // 2,
        "directed_lowered": len(directed) // 2,
    }
    assert rates["value"][:4].tolist() == pytest.approx([4 / 12, 1 / 6, 3 / 4, 4 / 6])
    # On grass and sand two of the three other classes and one: three flips to grass, one to sand.
    assert rates.loc["flips_to_usual", "chance"] == pytest.approx((3 * 2 + 1) / 3 / 4)
    assert rates.loc["empty_to_usual", "chance"] == pytest.approx((2 * 1 + 2 * 2 + 2 * 1) / 4 / 6)
    assert rates.loc[["flips_unusual", "flips_usual", "directed_raised"], "chance"].isna().all()
    for kind in ("raised", "lowered"):
        share = directed.loc[directed["kind"] == kind, "flipped"].mean()
        assert rates.loc[f"directed_{kind}", "value"] == pytest.approx(share)
    # An image's tries tell less than as many images would.
    flipped = [True, True, False, True, True, False, False, False, False, False, False, False]
    expected = share_interval(flipped, np.repeat([0, 1, 2], 4), 500, 0)
    assert tuple(rates.loc["flips_unusual", ["value", "low", "high"]]) == expected
