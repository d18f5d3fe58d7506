"""Nearest neighbours by a loop over all pairs."""

import numpy as np


def nearest(queries, base, count, exclude=None):
    """For every query a list of (distance, index), ascending."""
    found = []
    for query in queries.astype(np.float64):
        pairs = [
            (float(((query - row) ** 2).sum()), index)
            for index, row in enumerate(base.astype(np.float64))
            if exclude is None or not exclude[index]
        ]
        found.append(sorted(pairs)[:count])
    return found
