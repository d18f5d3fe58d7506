"""Three classes on six features as image sets that a model has seen, and parameters for them."""

import numpy as np

from debugset.sparse.fitting import Measured
from debugset.sparse.params import SparseParams

CLASSES, WIDTH = 3, 6


def params(**changed):
    """Parameters that make a short path."""
    values = {
        "models": ["original"],
        "alpha": 0.99,
        "lambdas": 8,
        "epsilon": 0.01,
        "validation": 0.25,
        "choose": "features",
        "features": 2.0,
        "points": 2.0,
        "shown": 2,
        "cards": 6,
        "rendered": [],
        "swapped": 40,
        "crops": 1,
        "top_features": 2,
        "patch_victims": 4,
        "patch_side": 0.5,
        "resamples": 100,
        "random_state": 3,
    }
    return SparseParams(**values | changed)


def image_set(name, images, random_state):
    """An image set whose classes overlap: each raises a feature of its own, and two are common to all."""
    rng = np.random.default_rng(random_state)
    labels = np.arange(images) % CLASSES
    features = np.maximum(rng.normal(0.5, 1, (images, WIDTH)), 0)
    features[np.arange(images), labels] += 1.5
    return Measured(
        features.astype(np.float32), labels, np.array([f"{name}-{row:03}" for row in range(images)], object)
    )
