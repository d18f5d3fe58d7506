"""The leak filter by a loop over all pairs."""

import numpy as np


def squared(a, b):
    return float(((a.astype(np.float64) - b.astype(np.float64)) ** 2).sum())


def class_thresholds(train, train_labels, test, test_labels, quantile=0.0):
    found = {}
    for label in sorted({int(label) for label in train_labels}):
        distances = sorted(
            min(squared(image, other) for other, of in zip(train, train_labels, strict=True) if of == label)
            for image, of in zip(test, test_labels, strict=True)
            if of == label
        )
        place = quantile * (len(distances) - 1)
        low, share = int(place), place - int(place)
        high = min(low + 1, len(distances) - 1)
        found[label] = distances[low] + share * (distances[high] - distances[low])
    return found


def far_from(pool, pool_labels, tests, thresholds):
    """For every pool image (keep, nearest, distance)."""
    found = []
    for image, label in zip(pool, pool_labels, strict=True):
        distance, nearest = min((squared(image, test), row) for row, test in enumerate(tests))
        found.append((distance > thresholds[int(label)], nearest, distance))
    return found
