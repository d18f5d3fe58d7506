"""The planted cause, and how well a rule finds it."""

import math

import numpy as np

from debugset.barlow.modes import score_rule
from debugset.barlow.planted import planted_cause


def test_the_planted_cause_of_both_groupings():
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 0])
    contexts, frequent = np.array([*"acba"], object), {(0, "a"), (1, "c")}
    assert planted_cause("label", labels, predicted, contexts, frequent).tolist() == [False, True, True, True]
    # frequent for what it is taken for, and not of that class
    assert planted_cause("prediction", labels, predicted, contexts, frequent).tolist() == [False, True, False, True]


def test_precision_recall_and_base_of_a_cluster():
    rule, features = ((0, "<", 0.5),), np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]])
    cause = np.array([True, True, False, True, True, False])
    score = score_rule(rule, features, cause)
    assert (score.error_rate, score.error_coverage, score.base_error_rate) == (2 / 3, 0.5, 4 / 6)
    assert math.isnan(score_rule(((0, "<", -1.0),), features, cause).error_rate)
    assert math.isnan(score_rule(rule, features, np.zeros(6, bool)).error_coverage)
