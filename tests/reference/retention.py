"""Retention by sorting every image's distances to all others."""

import numpy as np


def retention(features, values, k):
    """The share of the k nearest others that have the same value."""
    kept = []
    for image in range(len(features)):
        distances = ((features.astype(np.float64) - features[image].astype(np.float64)) ** 2).sum(axis=1)
        others = sorted((distance, row) for row, distance in enumerate(distances) if row != image)
        kept += [values[row] == values[image] for _, row in others[:k]]
    return float(np.mean(kept))
