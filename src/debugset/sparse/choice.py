"""Which layer of a path to use: by features a class, by accuracy given up, or by the best validation accuracy."""

import numpy as np

from debugset.sparse.path import SparsePath


def by_features(path: SparsePath, features_per_class: float) -> int:
    """The place of the densest layer that uses at most so many features a class.

    Raises:
        ValueError: the number is negative, or every layer uses more.
    """
    if not features_per_class >= 0:
        raise ValueError(f"features_per_class: expected a number of at least 0, got {features_per_class}")
    fitting = np.flatnonzero(path.features_per_class <= features_per_class)
    if not len(fitting):
        raise ValueError(
            f"features_per_class: the sparsest layer uses {path.features_per_class.min():.3g}, more than "
            f"{features_per_class}; ask for more"
        )
    return int(fitting[path.features_per_class[fitting].argmax()])


def by_accuracy(path: SparsePath, points: float) -> int:
    """The place of the sparsest layer that gives up no more than so many points (hundredths) of the best accuracy.

    Raises:
        ValueError: the number is negative, or the path was measured on no validation images.
    """
    if not points >= 0:
        raise ValueError(f"points: expected hundredths of accuracy to give up, at least 0, got {points}")
    if np.isnan(path.accuracy).any():
        raise ValueError("path: has no validation accuracy to choose by; pass validation to elastic_net_path")
    # accuracies are shares of whole images: the slack only takes up the rounding of the difference
    near = np.flatnonzero(path.accuracy >= path.accuracy.max() - points / 100 - 1e-9)
    return int(near[path.features_per_class[near].argmin()])


def by_optimum(path: SparsePath) -> int:
    """The place of the best validation accuracy, of equal ones the sparsest; errors as of `by_accuracy`."""
    return by_accuracy(path, 0.0)
