"""One lambda: coefficients that nobody expected join, and every condition of the optimum counts."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from debugset.sparse.design import Design
from debugset.sparse.loss import Loss
from debugset.sparse.newton import BlockNewton, Goal
from debugset.sparse.penalty import Penalty
from tests.reference import elastic_net as naive


def test_what_nobody_expected_joins_when_its_gradient_asks_for_it():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    features = rng.normal(size=(200, 8)) + 2 * np.eye(3, 8)[labels]
    penalty = Penalty(0.02, 0.9)
    with ThreadPoolExecutor(1) as pool:
        loss = Loss(Design(features, 64, torch.device("cpu")), labels, np.ones(200), pool, keep_logits=True)
        newton = BlockNewton(loss, np.zeros((9, 3)))
        found = newton.minimise(penalty, Goal(1e-6, 1e-9, 500), np.zeros((9, 3), bool))
    weights, _bias = naive.fista(naive.standardise(features), labels, np.zeros((8, 3)), np.zeros(3), *penalty)
    assert found.coefficients[:-1] == pytest.approx(weights, abs=1e-4)
    assert found.residual <= 1e-6


@pytest.mark.parametrize(
    ("coefficients", "gradient", "violation"),
    [
        ([[0.0], [0.0]], [[1.5], [0.0]], 0.5),  # no weight, where the gradient is steeper than the lasso
        ([[0.0], [0.0]], [[0.5], [0.0]], 0.0),
        ([[2.0], [0.0]], [[-1.5], [0.0]], 1.5),  # lasso 1 and ridge 1 x 2 pull more than the slope of 1.5
        ([[0.0], [9.0]], [[0.0], [-0.3]], 0.3),  # the intercept is free
    ],
)
def test_the_residual_is_the_largest_violation(coefficients, gradient, violation):
    penalty = Penalty(2.0, 0.5)
    assert penalty.residual(np.array(coefficients), np.array(gradient)) == pytest.approx(violation)
