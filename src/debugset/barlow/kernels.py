"""Compiled loops of `debugset.barlow.information`; each walks a feature's sorted values once."""

from typing import no_type_check  # numba compiles a version for float32 and one for float64

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
@no_type_check
def ksg(failures, successes, neighbours, digamma):
    """Ross' estimate for every feature: sorted values [d, failures] and [d, successes] -> nats [d]."""
    found = np.zeros(len(failures))
    n_failures, n_successes = failures.shape[1], successes.shape[1]
    if n_failures < 2 or n_successes < 2:  # a class of one image has no neighbours and is left out
        return found
    n = n_failures + n_successes
    classes = (n_failures * digamma[n_failures] + n_successes * digamma[n_successes]) / n
    for feature in range(len(failures)):
        own, other = failures[feature], successes[feature]
        points = _neighbourhoods(own, other, neighbours, digamma) + _neighbourhoods(other, own, neighbours, digamma)
        found[feature] = max(0.0, digamma[n] - classes + points / n)
    return found


@njit(nogil=True, cache=True)
@no_type_check
def _neighbourhoods(own, other, neighbours, digamma):
    """The sum over own points of digamma(own points) - digamma(all points) within their k-th neighbour's distance.

    The point itself is not counted. The ends of the neighbourhoods move upwards with the points, so four
    pointers find them; each may also step back, because differences are rounded.
    """
    k = min(neighbours, len(own) - 1)
    total = 0.0
    first = low = high = other_low = other_high = 0
    for place in range(len(own)):
        x = own[place]
        first = max(first, place - k)
        while first + k + 1 < len(own) and x - own[first] > own[first + k + 1] - x:
            first += 1
        distance = max(x - own[first], own[first + k] - x)
        while low > 0 and x - own[low - 1] <= distance:
            low -= 1
        while x - own[low] > distance:
            low += 1
        while high > 0 and own[high - 1] - x > distance:
            high -= 1
        while high < len(own) and own[high] - x <= distance:
            high += 1
        while other_low > 0 and x - other[other_low - 1] <= distance:
            other_low -= 1
        while other_low < len(other) and x - other[other_low] > distance:
            other_low += 1
        while other_high > 0 and other[other_high - 1] - x > distance:
            other_high -= 1
        while other_high < len(other) and other[other_high] - x <= distance:
            other_high += 1
        within = high - low - 1
        total += digamma[within] - digamma[within + other_high - other_low]
    return total


@njit(nogil=True, cache=True)
@no_type_check
def binned(failures, successes, bins):
    """The corrected estimate by quantile bins: sorted values [d, failures] and [d, successes] -> nats [d].

    Bin j ends with the ceil(j n / bins)-th smallest value, which belongs to it; bins that ties leave empty are none.
    """
    found = np.zeros(len(failures))
    n_failures, n_successes = failures.shape[1], successes.shape[1]
    n = n_failures + n_successes
    for feature in range(len(failures)):
        one, two = failures[feature], successes[feature]
        i = k = n_bins = n_cells = 0
        nats = 0.0
        for j in range(1, bins + 1):
            before_i, before_k = i, k
            rank = (j * n + bins - 1) // bins
            if i + k >= rank:  # ties filled this bin already
                continue
            edge = one[0]
            while i + k < rank:
                if k == n_successes or (i < n_failures and one[i] <= two[k]):
                    edge = one[i]
                    i += 1
                else:
                    edge = two[k]
                    k += 1
            while i < n_failures and one[i] <= edge:
                i += 1
            while k < n_successes and two[k] <= edge:
                k += 1
            in_bin = i - before_i + k - before_k
            n_bins += 1
            if i > before_i:
                n_cells += 1
                share = (i - before_i) / n
                nats += share * np.log(share * n / in_bin * n / n_failures)
            if k > before_k:
                n_cells += 1
                share = (k - before_k) / n
                nats += share * np.log(share * n / in_bin * n / n_successes)
        found[feature] = max(0.0, nats + (n_bins + 1 - n_cells) / (2 * n))  # (bins - 1) + (2 - 1) - (cells - 1)
    return found
