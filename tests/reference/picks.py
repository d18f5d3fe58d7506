"""The picking rule as the paper words it: take the smallest entry of the whole matrix again and again."""

import numpy as np


def pick_neighbours(seeds, pool, per_seed, exclude=None):
    """Tuples (seed, image, distance, rank) in the order of picking."""
    matrix = ((seeds[:, None].astype(np.float64) - pool[None].astype(np.float64)) ** 2).sum(axis=2)
    if exclude is not None:
        matrix[:, exclude] = np.inf
    counts = [0] * len(seeds)
    picked = []
    while matrix.size and np.isfinite(matrix.min()):
        # argmin of the flattened matrix is the first smallest: lowest seed, then lowest image
        seed, image = divmod(int(matrix.argmin()), matrix.shape[1])
        picked.append((seed, image, float(matrix[seed, image]), counts[seed]))
        matrix[:, image] = np.inf
        counts[seed] += 1
        if counts[seed] == per_seed:
            matrix[seed] = np.inf
    return picked
