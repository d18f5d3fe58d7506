"""The path of sparse layers: against FISTA and scikit-learn, whatever the blocks, and on images of few classes."""

import numpy as np
import pytest

from debugset.sparse.elastic_net import elastic_net_path
from tests.reference import elastic_net as naive


@pytest.fixture(scope="module")
def problem() -> tuple[np.ndarray, np.ndarray]:
    """Features after a ReLU of 700 images of 5 classes, unequal in scale, one of them constant."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 700)
    centres = rng.normal(size=(5, 30)) * (rng.random((5, 30)) < 0.3)
    features = np.maximum(centres[labels] + rng.normal(size=(700, 30)), 0) * rng.uniform(0.1, 10, 30)
    features[:, 7] = 3
    return features.astype(np.float32), labels


@pytest.fixture(scope="module")
def path(problem):
    return elastic_net_path(*problem, n_lambdas=20)


def test_every_lambda_is_solved_as_fista_solves_it(problem, path):
    x, labels = naive.standardise(problem[0].astype(np.float64)), problem[1]
    weights, bias = np.zeros((30, 5)), np.zeros(5)
    for place, strength in enumerate(path.lambdas[:-1]):
        weights, bias = naive.fista(x, labels, weights, bias, strength, 0.99)
        expected = naive.objective(x, labels, weights, bias, strength, 0.99)
        layer = path.layer(place)
        reached = naive.objective(x, labels, layer.importance, layer.logits(path.means[None])[0], strength, 0.99)
        assert reached == pytest.approx(expected, rel=1e-6)
        assert path.objective[place] == pytest.approx(reached, rel=1e-6)
