"""Small layers with errors."""

import numpy as np

from debugset.sparse.layer import DecisionLayer


def random_problem(n, d, k, random_state=0, density=1.0, whole=False):
    """A layer, features after a ReLU, and labels that it misses often; whole numbers make many ties."""
    rng = np.random.default_rng(random_state)
    weights, features, bias = rng.normal(size=(d, k)), rng.normal(size=(n, d)), rng.normal(size=k)
    if whole:
        weights, features, bias = np.rint(weights), np.rint(2 * features), np.rint(bias)
    weights[rng.random((d, k)) > density] = 0
    features = np.maximum(features, 0)
    layer = DecisionLayer(weights, bias, np.rint(2 * features.mean(axis=0)) / 2, features.std(axis=0))
    return layer, features, rng.integers(k, size=n)
