"""Compiled loops of the elastic-net solver; none adds up in an order that depends on the CPU."""

from typing import no_type_check  # numba compiles a version for float32 and one for float64

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
@no_type_check
def gather(block, weights, least, columns):
    """The chosen columns of rows whose weight is above the least, times the weight's root."""
    count = 0
    for row in range(len(block)):
        count += weights[row] > least
    chosen = np.empty((count, len(columns)), block.dtype)
    place = 0
    for row in range(len(block)):
        if weights[row] > least:
            root = np.sqrt(weights[row])
            for column in range(len(columns)):
                chosen[place, column] = block[row, columns[column]] * root
            place += 1
    return chosen


@njit(nogil=True, cache=True)
@no_type_check
def descend(curvature, gradient, origin, lasso, ridge, sweeps, tolerance):
    """Coordinate descent on a quadratic model with an elastic net; the last coordinate, the intercept, is free.

    The model of a move v from the origin is gradient v + v curvature v / 2. A coordinate without curvature stays.

    Args:
        tolerance: a sweep in which no step gains more ends the descent.

    Returns:
        Where it ends, and the two terms of the model there: gradient v, v curvature v.
    """
    point = origin.copy()
    slope = gradient.copy()  # the model's, at the point
    last = len(point) - 1
    for _ in range(sweeps):
        largest = 0.0
        for i in range(len(point)):
            own = curvature[i, i]
            if own <= 0:
                continue
            wished = own * point[i] - slope[i]
            if i == last:
                value = wished / own
            elif wished > lasso:
                value = (wished - lasso) / (own + ridge)
            elif wished < -lasso:
                value = (wished + lasso) / (own + ridge)
            else:
                value = 0.0
            move = value - point[i]
            if move != 0:
                point[i] = value
                for j in range(len(point)):
                    slope[j] += curvature[i, j] * move
                largest = max(largest, own * move * move)
        if largest < tolerance:
            break
    linear = quadratic = 0.0
    for i in range(len(point)):
        linear += gradient[i] * (point[i] - origin[i])
        quadratic += (slope[i] - gradient[i]) * (point[i] - origin[i])
    return point, linear, quadratic
