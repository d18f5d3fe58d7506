"""Failure modes: both bounds, their order, their short rules, and their proof on other images, against counting."""

import math

import numpy as np
import pytest

from debugset.barlow.modes import bonferroni, failure_modes, score_rule
from debugset.barlow.tree import FailureTree, Node, failure_tree
from tests.base.inputs import BAD_MASKS, MASKS, error
from tests.reference import barlow as naive


def leaf(failures, count, total, rule=()):
    return Node(rule, True, count, failures, failures / count, failures / total)


def test_modes_exceed_both_bounds_strictly_and_come_by_importance():
    # base 40 of 100; the bounds are 0.5 and 0.25
    leaves = [leaf(10, 20, 40), leaf(11, 20, 40), leaf(10, 16, 40), leaf(9, 10, 40), leaf(0, 34, 40)]
    root = Node((), False, 100, 40, 0.4, 1.0)
    tree = FailureTree((root, *leaves), np.empty(0, np.int64))
    found = failure_modes(tree, min_gain=0.1, min_coverage=0.25)
    assert [(mode.failures, mode.count) for mode in found] == [(11, 20)]
    found = failure_modes(tree, min_gain=0.05, min_coverage=0.1)
    assert [(mode.failures, mode.count) for mode in found] == [(9, 10), (10, 16), (11, 20), (10, 20)]
    assert [mode.importance for mode in found] == sorted((mode.importance for mode in found), reverse=True)


@pytest.mark.parametrize(("failures", "found"), [(40, 0), (41, 1)])
def test_strictly_means_strictly_where_sums_are_rounded(failures, found):
    assert 0.7 + 0.1 < 0.8  # as floats
    root, mode = Node((), False, 100, 70, 0.7, 1.0), leaf(failures, 50, 70)
    tree = FailureTree((root, mode, leaf(70 - failures, 50, 70)), np.empty(0, np.int64))
    assert len(failure_modes(tree, min_gain=0.1)) == found


def test_a_mode_of_a_deep_tree_has_a_short_rule():
    rule = ((3, "<", 0.5), (1, ">=", 0.1), (3, "<", 0.2))
    tree = FailureTree((Node((), False, 100, 40, 0.4, 1.0), leaf(30, 40, 40, rule)), np.empty(0, np.int64))
    (mode,) = failure_modes(tree)
    assert mode.rule == ((3, "<", 0.2), (1, ">=", 0.1))


@pytest.mark.parametrize("failed", [np.zeros(6, bool), np.ones(6, bool)])
def test_a_group_of_one_kind_has_no_mode(failed):
    assert failure_modes(failure_tree(np.random.default_rng(0).random((6, 3)), failed, max_depth=3)) == []


@pytest.mark.parametrize("bounds", [{"min_gain": -0.1}, {"min_coverage": 1.1}])
def test_bad_bounds_are_named(bounds):
    (name,) = bounds
    with pytest.raises(ValueError, match=f"{name}: must lie between 0 and 1, got "):
        failure_modes(FailureTree((leaf(1, 2, 2),), np.empty(0, np.int64)), **bounds)


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


@pytest.mark.parametrize("kind", MASKS)
def test_failures_of_any_type_give_a_rule_the_same_score(kind):
    rule, features = ((0, "<", 0.5),), np.array([[0.0], [0.0], [0.0], [1.0], [1.0]])
    failed = np.array([True, True, False, True, False])
    assert score_rule(rule, features.tolist(), MASKS[kind](failed)) == score_rule(rule, features, failed)


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_failures_that_are_no_mask_are_refused(kind):
    make, line = BAD_MASKS[kind]
    with pytest.raises(ValueError, match=error("failed", line, 5)):
        score_rule((), np.zeros((5, 1)), make(5))
