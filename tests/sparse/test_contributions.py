"""Cards of errors: which are drawn, what each shows."""

import json

import numpy as np
import pytest

from debugset.sparse.contributions import draw_errors, explain_errors
from debugset.sparse.layer import DecisionLayer
from debugset.sparse.removals import find_removals
from tests.sparse.removal_toys import random_problem


def test_errors_are_drawn_at_random_corrected_ones_first():
    layer, features, labels = random_problem(200, 12, 4)
    errors = find_removals(layer, features, labels, np.arange(200))
    drawn = draw_errors(errors, 12, 25, 0)
    assert (drawn["size"] == 1).tolist() == [True] * 12 + [False] * 25
    assert set(drawn["size"]) > {0, 1}  # the others need more features, or no set is found
    assert drawn.equals(draw_errors(errors, 12, 25, 0))
    other = draw_errors(errors, 12, 25, 1)
    assert not drawn[:12].equals(other[:12]) and not drawn[12:].equals(other[12:])
    assert drawn.equals(errors.loc[drawn.index]) and drawn.index.is_unique
    fewer = draw_errors(errors.drop(drawn.index[[0, 20]]), 11, 24, 0)  # those that stay keep their order
    assert fewer.equals(drawn.drop(drawn.index[[0, 20]]))
    every = draw_errors(errors, 999, 999, 0)
    assert sorted(every.index) == list(range(len(errors)))
    assert len(draw_errors(errors[:0], 3, 3, 0)) == 0


@pytest.mark.parametrize("removal", ["zero", "mean"])
def test_a_card_adds_up(removal):
    layer, features, labels = random_problem(120, 12, 4, density=0.8)
    errors = find_removals(layer, features, labels, np.arange(120), removal=removal)
    baseline = layer.baseline(removal)
    cards = explain_errors(layer, features, np.arange(120), errors, removal=removal, count=3)
    for error, card in zip(errors.itertuples(), cards, strict=True):
        assert (card.image_id, card.label, card.predicted) == (error.image_id, error.label, error.predicted)
        assert [one.feature for one in card.removed] == json.loads(error.features)
        assert card.before.argmax() == card.predicted
        assert (card.after.argmax() == card.label) == (error.size > 0)
        lost = sum(one.amount for one in card.removed)
        assert card.before[card.predicted] - card.after[card.predicted] == pytest.approx(lost)
        for class_, shown in ((card.predicted, card.for_predicted), (card.label, card.for_true)):
            amounts = layer.weights[:, class_] * (features[error.image_id] - baseline)
            order = sorted(layer.used(class_).tolist(), key=lambda feature: -abs(amounts[feature]))[:3]
            assert [one.feature for one in shown] == order
            for one in shown:
                assert one.amount == pytest.approx(amounts[one.feature])
                assert one.weight == layer.weights[one.feature, class_]
                assert one.activation == features[error.image_id, one.feature]
    assert errors["size"].nunique() > 2


def test_contributions_against_a_class_are_shown_too_and_one_without_features_shows_none():
    layer = DecisionLayer(
        np.array([[1.0, 0], [-3, 0], [2, 0], [2, 0]]), np.array([5.0, 3]), np.zeros(4), np.array([1.0, 1, 1, 4])
    )
    features = np.ones((1, 4))
    (card,) = explain_errors(layer, features, ["a"], find_removals(layer, features, [1], ["a"]), count=3)
    assert [(one.feature, one.amount) for one in card.for_predicted] == [(1, -3), (3, 2), (2, 2)]
    assert card.for_true == []
    assert card.before.tolist() == [7, 3]


def test_an_error_of_another_image_is_named():
    layer, features, labels = random_problem(20, 5, 3)
    errors = find_removals(layer, features, labels, np.arange(20))
    with pytest.raises(ValueError, match=r"^image_ids: \d+ of errors is missing; pass the images that they were found"):
        explain_errors(layer, features, np.arange(20) + 50, errors)
