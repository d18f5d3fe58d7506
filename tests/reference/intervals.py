"""A bootstrap over groups, by lists."""

import numpy as np


def share_interval(values, groups, resamples, random_state):
    """The share of true values and its 95 % interval: groups are drawn from those sorted by name."""
    members = {}
    for value, group in zip(values, groups, strict=True):
        members.setdefault(group, []).append(bool(value))
    names = sorted(members)
    rng = np.random.default_rng(random_state)
    shares = []
    for _ in range(resamples):
        drawn = [names[place] for place in rng.integers(len(names), size=len(names))]
        tries = [value for name in drawn for value in members[name]]
        shares.append(sum(tries) / len(tries))
    low, high = np.percentile(shares, [2.5, 97.5])
    return sum(map(bool, values)) / len(values), low, high
