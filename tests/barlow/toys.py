"""An analysis of four classes whose failures have known causes."""

import numpy as np

from debugset.barlow.analysis import Analysis
from debugset.barlow.groups import discovery_half
from debugset.barlow.params import BarlowParams

CLASSES = ("coat", "toy poodle", "bag", "boot")
PARAMS = BarlowParams(
    features=["robust"], estimator="binned", n_features=4, depths=[1, 3], mode_depth=1, min_gain=0.1, min_coverage=0.2,
    discovery=0.5, min_images=10, permutations=3, cards=2, random_state=0,
)  # fmt: skip


def made_analysis(n=600, random_state=0, **changes):
    """Class 0 fails where feature 2 is low, class 1 at random, class 2 never; class 3 has few images."""
    rng = np.random.default_rng(random_state)
    labels = rng.choice(4, n, p=[0.4, 0.3, 0.29, 0.01])
    features = rng.random((n, 6)).astype(np.float32)
    risk = np.where(labels == 0, np.where(features[:, 2] < 0.3, 0.9, 0.1), np.where(labels == 1, 0.3, 0.0))
    predicted = np.where(rng.random(n) < risk, (labels + 1) % 2, labels)
    params = PARAMS.model_copy(update=changes)
    half = discovery_half(labels, params.discovery, params.random_state)
    return Analysis("original", "robust", features, labels, predicted, half, CLASSES, params)
