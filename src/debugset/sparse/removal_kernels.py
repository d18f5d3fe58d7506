"""Compiled loops of `debugset.sparse.removals`; each walks the errors with one predicted class.

The *margin* of an error is by how much the true class leads the best other one, above 0 once the error is corrected.
The *gain* of a feature is by how much its removal raises the lead over each class.
"""

from typing import no_type_check

import numpy as np
from numba import njit

EXACT = 3  # sets up to this size are the best of all


@njit(nogil=True, cache=True)
@no_type_check
def smallest_sets(logits, drops, weights, labels, orders, largest):
    """The smallest correcting set of every error: places among the used features, then -1 [errors, largest].

    ``drops`` [errors, used] is by how much removal lowers each activation, ``weights`` are those of [used, classes].
    Places are tried in the order given for each error, best by falling gain against the predicted class: then searches
    end early. A set takes the place of an earlier one only by a larger margin.
    """
    sets = np.full((len(logits), largest), -1)
    for error in range(len(logits)):
        leads, gains = _leads_and_gains(logits[error], drops[error], weights, labels[error])
        gains = gains[orders[error]]
        chosen = _exact(leads, gains)
        if not len(chosen):
            chosen = _greedy(leads, gains, largest)
        sets[error, : len(chosen)] = orders[error][chosen]
    return sets


@njit(nogil=True, cache=True)
@no_type_check
def shares_correcting(logits, drops, weights, labels, sets):
    """The share of the given sets of places [sets, size] that correct each error."""
    shares = np.zeros(len(logits))
    for error in range(len(logits)):
        leads, gains = _leads_and_gains(logits[error], drops[error], weights, labels[error])
        correcting = 0
        for places in sets:
            correcting += _corrects(leads, gains, places)
        shares[error] = correcting / len(sets)
    return shares


@njit(nogil=True, cache=True)
@no_type_check
def _leads_and_gains(logits, drops, weights, label):
    """The true class's lead over every class, infinite over itself, and what each feature's removal adds to it."""
    leads = logits[label] - logits
    leads[label] = np.inf
    gains = np.empty(weights.shape)
    for place in range(len(drops)):
        for class_ in range(len(logits)):
            gains[place, class_] = drops[place] * (weights[place, class_] - weights[place, label])
    return leads, gains


@njit(nogil=True, cache=True)
@no_type_check
def _corrects(leads, gains, places):
    """Whether the true class leads everywhere once the features at those places are removed."""
    for class_ in range(len(leads)):
        lead = leads[class_]
        for place in places:
            lead += gains[place, class_]
        if not lead > 0:
            return False
    return True


@njit(nogil=True, cache=True)
@no_type_check
def _exact(leads, gains):
    """Of the smallest sets that correct, at most `EXACT` features, that with the largest margin; else nothing."""
    # The largest gains from a place on. Sums are rounded in the same order as a set's own: no set exceeds its bound.
    ceilings = gains.copy()
    for place in range(len(gains) - 2, -1, -1):
        for class_ in range(len(leads)):
            ceilings[place, class_] = max(ceilings[place, class_], ceilings[place + 1, class_])
    for size in range(1, min(EXACT, len(gains)) + 1):
        best = _search(leads, gains, ceilings, size)
        if len(best):
            return best
    return np.zeros(0, np.int64)


@njit(nogil=True, cache=True)
@no_type_check
def _search(leads, gains, ceilings, size):
    """Branch and bound over all sets of one size, depth first; a loop, for numba can't cache what calls itself."""
    trail = np.empty((size + 1, len(leads)))  # the leads after the first removals of the set at hand
    trail[0] = leads
    places, best = np.zeros(size, np.int64), np.zeros(size, np.int64)
    margin, depth = 0.0, 0
    while depth >= 0:
        place, missing = places[depth], size - depth
        if place > len(gains) - missing or _bound(trail[depth], ceilings[place], missing) <= margin:
            depth -= 1  # nor does any later place help, for ceilings fall
            if depth >= 0:
                places[depth] += 1
            continue
        after = _remove(trail[depth], gains[place], trail[depth + 1])
        if missing > 1:
            depth += 1
            places[depth] = place + 1
            continue
        if after > margin:
            margin = after
            best[:] = places
        places[depth] += 1
    return best if margin > 0 else best[:0]


@njit(nogil=True, cache=True)
@no_type_check
def _remove(leads, gains, after):
    """Write the leads after a removal; returns the margin."""
    margin = np.inf
    for class_ in range(len(leads)):
        after[class_] = leads[class_] + gains[class_]
        margin = min(margin, after[class_])
    return margin


@njit(nogil=True, cache=True)
@no_type_check
def _bound(leads, ceilings, missing):
    """What the margin cannot exceed after as many removals as are missing."""
    lowest = np.inf
    for class_ in range(len(leads)):
        lead = leads[class_]
        for _ in range(missing):
            lead += ceilings[class_]
        lowest = min(lowest, lead)
    return lowest


@njit(nogil=True, cache=True)
@no_type_check
def _greedy(leads, gains, largest):
    """Remove what raises the margin most, one after another, until the error is corrected; else nothing."""
    now, after = leads.copy(), leads.copy()
    left = np.ones(len(gains), np.bool_)
    chosen = np.zeros(min(largest, len(gains)), np.int64)
    for step in range(len(chosen)):
        best, choice = -np.inf, -1
        for place in range(len(gains)):
            if left[place]:
                margin = _remove(now, gains[place], after)
                if choice < 0 or margin > best:
                    best, choice = margin, place
        left[choice] = False
        chosen[step] = choice
        if _remove(now, gains[choice], now) > 0:
            return chosen[: step + 1]
    return chosen[:0]
