"""Features in shards, made by hand."""

import numpy as np

from debugset.features.spool import array_sha256
from debugset.features.store import Features, Part


def in_shards(values, owners):
    """An array's features in parts: the rows that have the same owner."""
    rows = [np.flatnonzero(owners == owner) for owner in dict.fromkeys(owners.tolist())]
    return Features([Part(mine, values[mine], array_sha256(values[mine])) for mine in rows])
