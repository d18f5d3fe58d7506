"""Groups and their halves; what holds on the half that rules were not found on; the planted cause."""

import math

import numpy as np
import pytest

from debugset.barlow.groups import discovery_half, groups_of, why_not
from debugset.barlow.heldout import (
    chance_gains,
    corrected,
    heldout_gain,
    matched,
    measured,
    planted_cause,
    usual_contexts,
)
from debugset.barlow.tree import failure_tree
from tests.reference import barlow as naive


def test_halves_hold_a_share_of_every_class():
    labels = np.repeat([0, 1, 4], [10, 7, 3])
    half = discovery_half(labels, 0.5, 0)
    assert [half[labels == label].sum() for label in (0, 1, 4)] == [5, 4, 2]  # 3.5 and 1.5 are rounded to even
    assert np.array_equal(half, discovery_half(labels, 0.5, 0))
    assert not np.array_equal(half, discovery_half(labels, 0.5, 1))


def test_groups_by_label_and_by_prediction_hold_the_images_of_each_class():
    rng = np.random.default_rng(0)
    labels, predicted = rng.choice([0, 1, 3], 60), rng.choice([0, 2, 3], 60)  # classes 1 and 2 miss in one of them
    half = discovery_half(labels, 0.5, 0)
    for grouping, keys in (("label", labels), ("prediction", predicted)):
        found = list(groups_of(grouping, labels, predicted, half, 4))
        assert [group.class_ for group in found] == [0, 1, 2, 3]
        for group in found:
            assert sorted(group.discovery) == np.flatnonzero((keys == group.class_) & half).tolist()
            assert sorted(group.heldout) == np.flatnonzero((keys == group.class_) & ~half).tolist()


@pytest.mark.parametrize(
    ("failures", "images", "reason"),
    [(2, 9, "9 images, fewer than 10"), (0, 12, "no failures"), (12, 12, "failures only"), (1, 10, "")],
)
def test_groups_that_can_not_be_explained_say_why(failures, images, reason):
    labels = np.zeros(images, np.int64)
    (group,) = groups_of("label", labels, labels, np.ones(images, bool), 1)
    assert why_not(group, np.arange(images) < failures, 10) == reason


def test_a_rule_is_measured_on_other_images():
    features = np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0], [1.0]])
    failed = np.array([True, True, False, True, False, False, False])
    score = measured(((0, "<", 0.5),), features, failed)
    assert (score.count, score.failures) == (3, 2)
    assert score.error_rate == 2 / 3
    assert score.error_coverage == 2 / 3
    assert score.base_error_rate == 3 / 7
    assert score.p == pytest.approx(naive.at_least_by_chance(2, 3, 3, 7))


@pytest.mark.parametrize("random_state", range(5))
def test_p_is_the_exact_probability_of_so_many_failures(random_state):
    rng = np.random.default_rng(random_state)
    features, failed = rng.random((30, 1)), rng.random(30) < 0.4
    inside = features[:, 0] < 0.5
    expected = naive.at_least_by_chance(int((inside & failed).sum()), int(inside.sum()), int(failed.sum()), 30)
    assert measured(((0, "<", 0.5),), features, failed).p == pytest.approx(expected)


def test_a_rule_that_holds_for_no_other_image_has_no_rate():
    score = measured(((0, "<", -1.0),), np.ones((4, 1)), np.array([True, False, False, False]))
    assert math.isnan(score.error_rate)
    assert score.error_coverage == 0
    assert score.p == 1


def test_p_is_multiplied_by_the_groups_tried_or_the_modes_if_they_are_more():
    p = np.array([0.001, 0.02, 0.4])
    assert corrected(p, 10) == pytest.approx([0.01, 0.2, 1.0])
    assert corrected(p, 2) == pytest.approx([0.003, 0.06, 1.0])


def test_the_gain_of_a_tree_holds_on_other_images_only_where_it_is_no_chance():
    rng = np.random.default_rng(0)
    failed, others = rng.random(400) < 0.4, rng.random(400) < 0.4
    options = {"n_features": 20, "max_depth": 1, "estimator": "binned"}
    told = rng.normal(size=(400, 5)) + 2 * failed[:, None]
    told_others = rng.normal(size=(400, 5)) + 2 * others[:, None]
    noise, noise_others = rng.normal(size=(400, 300)), rng.normal(size=(400, 300))
    real, lucky = failure_tree(told, failed, **options), failure_tree(noise, failed, **options)
    assert heldout_gain(real, told_others, others) > 0.6 * (real.aler - real.base_error_rate) > 0.15
    assert heldout_gain(lucky, noise_others, others) < 0.3 * (lucky.aler - lucky.base_error_rate)
    gains = chance_gains(noise, failed, 20, np.random.default_rng(0), **options)
    assert gains.min() <= lucky.aler - lucky.base_error_rate <= 2 * gains.max()
    assert gains.max() < real.aler - real.base_error_rate


def test_the_held_out_gain_is_aler_minus_ber_by_the_definitions():
    rng = np.random.default_rng(1)
    features, failed = rng.normal(size=(120, 4)), rng.random(120) < 0.4
    tree = failure_tree(features[:60], failed[:60], max_depth=3)
    others, wrong = features[60:], failed[60:]
    clusters = [cluster for leaf in tree.leaves if (cluster := naive.members(leaf.rule, others))]
    assert heldout_gain(tree, others, wrong) == pytest.approx(naive.aler(clusters, wrong) - wrong.mean())
    assert math.isnan(heldout_gain(tree, others, np.zeros(60, bool)))


def test_usual_contexts_are_those_that_training_shows_more_often():
    labels = np.repeat([0, 1], 10)
    contexts = np.array([*"aaaabbbbcd", *"ccccccccba"], object)
    assert usual_contexts(labels, contexts) == {(0, "a"), (0, "b"), (1, "c")}


def test_the_planted_cause_of_both_groupings():
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0])
    contexts, usual = np.array([*"acba"], object), {(0, "a"), (1, "c")}
    assert planted_cause("label", labels, predicted, contexts, usual).tolist() == [False, True, True, True]
    # usual for what it is taken for, and not of that class
    assert planted_cause("prediction", labels, predicted, contexts, usual).tolist() == [False, True, False, True]


def test_precision_recall_and_base_of_a_cluster():
    inside = np.array([True, True, True, False, False, False])
    cause = np.array([True, True, False, True, True, False])
    assert matched(inside, cause) == (2 / 3, 0.5, 4 / 6)
    nothing = np.zeros(6, bool)
    assert math.isnan(matched(nothing, cause).precision)
    assert math.isnan(matched(inside, nothing).recall)
