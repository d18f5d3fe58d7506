"""Compiled loops of `debugset.barlow.information`; each walks a feature's sorted values once."""

from typing import no_type_check  # numba compiles a version for float32 and one for float64

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
@no_type_check
def ksg(failures, successes, neighbours, digamma):
    """Ross' estimate for every feature: sorted values [d, failures] and [d, successes] -> nats [d]."""
    information = np.zeros(len(failures))
    n_failures, n_successes = failures.shape[1], successes.shape[1]
    if n_failures < 2 or n_successes < 2:  # a class of one image has no neighbours and is left out
        return information
    n = n_failures + n_successes
    classes = (n_failures * digamma[n_failures] + n_successes * digamma[n_successes]) / n
    for feature in range(len(failures)):
        own, other = failures[feature], successes[feature]
        points = _neighbourhoods(own, other, neighbours, digamma) + _neighbourhoods(other, own, neighbours, digamma)
        information[feature] = max(0.0, digamma[n] - classes + points / n)
    return information


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
        first = max(first, place - k)  # the point and its k nearest are own[first : first + k + 1]
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
        within = high - low - 1  # without the point itself
        total += digamma[within] - digamma[within + other_high - other_low]
    return total


@njit(nogil=True, cache=True)
@no_type_check
def binned(failures, successes, bins):
    """The corrected estimate by quantile bins: sorted values [d, failures] and [d, successes] -> nats [d].

    Bin j ends with the ceil(j n / bins)-th smallest value, which belongs to it; bins that ties leave empty are none.
    """
    information = np.zeros(len(failures))
    n_failures, n_successes = failures.shape[1], successes.shape[1]
    n = n_failures + n_successes
    for feature in range(len(failures)):
        own, other = failures[feature], successes[feature]
        own_passed = other_passed = n_bins = n_cells = 0  # a cell: failures or successes of a bin
        nats = 0.0
        for j in range(1, bins + 1):
            own_before, other_before = own_passed, other_passed
            rank = (j * n + bins - 1) // bins  # rounded up
            if own_passed + other_passed >= rank:  # ties filled this bin already
                continue
            edge = own[0]
            while own_passed + other_passed < rank:  # merge both sorted rows up to the bin's last value
                if other_passed == n_successes or (own_passed < n_failures and own[own_passed] <= other[other_passed]):
                    edge = own[own_passed]
                    own_passed += 1
                else:
                    edge = other[other_passed]
                    other_passed += 1
            while own_passed < n_failures and own[own_passed] <= edge:
                own_passed += 1
            while other_passed < n_successes and other[other_passed] <= edge:
                other_passed += 1
            in_bin = own_passed - own_before + other_passed - other_before
            n_bins += 1
            if own_passed > own_before:
                n_cells += 1
                share = (own_passed - own_before) / n
                nats += share * np.log(share * n / in_bin * n / n_failures)
            if other_passed > other_before:
                n_cells += 1
                share = (other_passed - other_before) / n
                nats += share * np.log(share * n / in_bin * n / n_successes)
        # Miller and Madow: (bins - 1) + (2 - 1) - (cells - 1), over 2 n
        information[feature] = max(0.0, nats + (n_bins + 1 - n_cells) / (2 * n))
    return information
