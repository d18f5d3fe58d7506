"""The proof of rules: other images, against counting; shuffled failures; the planted cause."""

import math
from functools import partial

import numpy as np
import pytest

from debugset.barlow.heldout import (
    bonferroni,
    chance_gains,
    frequent_contexts,
    heldout_gain,
    match_cause,
    planted_cause,
    score_rule,
)
from debugset.barlow.tree import failure_tree
from tests.reference import barlow as naive


def test_a_rule_is_measured_on_other_images():
    features = np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0], [1.0]])
    failed = np.array([True, True, False, True, False, False, False])
    score = score_rule(((0, "<", 0.5),), features, failed)
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
    assert score_rule(((0, "<", 0.5),), features, failed).p == pytest.approx(expected)


def test_a_rule_that_holds_for_no_other_image_has_no_rate():
    score = score_rule(((0, "<", -1.0),), np.ones((4, 1)), np.array([True, False, False, False]))
    assert math.isnan(score.error_rate)
    assert score.error_coverage == 0
    assert score.p == 1


def test_p_is_multiplied_by_the_groups_tried_or_the_modes_if_they_are_more():
    p = np.array([0.001, 0.02, 0.4])
    assert bonferroni(p, 10) == pytest.approx([0.01, 0.2, 1.0])
    assert bonferroni(p, 2) == pytest.approx([0.003, 0.06, 1.0])


def test_the_gain_of_a_tree_holds_on_other_images_only_where_it_is_no_chance():
    rng = np.random.default_rng(0)
    failed, others = rng.random(400) < 0.4, rng.random(400) < 0.4
    fit = partial(failure_tree, n_features=20, max_depth=1, estimator="binned")
    clear = rng.normal(size=(400, 5)) + 2 * failed[:, None]
    clear_others = rng.normal(size=(400, 5)) + 2 * others[:, None]
    noise, noise_others = rng.normal(size=(400, 300)), rng.normal(size=(400, 300))
    real, lucky = fit(clear, failed), fit(noise, failed)
    assert heldout_gain(real, clear_others, others) > 0.6 * (real.aler - real.base_error_rate) > 0.15
    assert heldout_gain(lucky, noise_others, others) < 0.3 * (lucky.aler - lucky.base_error_rate)
    gains = chance_gains(fit, noise, failed, 20, np.random.default_rng(0))
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


def test_frequent_contexts_are_those_that_training_shows_more_often():
    labels = np.repeat([0, 1], 10)
    contexts = np.array([*"aaaabbbbcd", *"ccccccccba"], object)
    assert frequent_contexts(labels, contexts) == {(0, "a"), (0, "b"), (1, "c")}


def test_the_planted_cause_of_both_groupings():
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0])
    contexts, frequent = np.array([*"acba"], object), {(0, "a"), (1, "c")}
    assert planted_cause("label", labels, predicted, contexts, frequent).tolist() == [False, True, True, True]
    # frequent for what it is taken for, and not of that class
    assert planted_cause("prediction", labels, predicted, contexts, frequent).tolist() == [False, True, False, True]


def test_precision_recall_and_base_of_a_cluster():
    inside = np.array([True, True, True, False, False, False])
    cause = np.array([True, True, False, True, True, False])
    assert match_cause(inside, cause) == {"precision": 2 / 3, "recall": 0.5, "base": 4 / 6}
    nothing = np.zeros(6, bool)
    assert math.isnan(match_cause(nothing, cause)["precision"])
    assert math.isnan(match_cause(inside, nothing)["recall"])
