"""Sparse masks: the few units of a layer that an attribute's score rests on, shared by all images (equation 3).

With all units kept the linear form is exact, so the fidelity alone would keep them all: the penalty decides. It is
given as what keeping all units costs relative to keeping none, `penalty`. Both ends are then known in any network:
lambda = penalty E[(Y - beta)^2] / N, and a unit stays if it lowers the error by more than its share of that.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float


class Mask(NamedTuple):
    """A mask and what it costs.

    Attributes:
        keep: rho, the units kept.
        residual: E[(v x + beta - Y)^2] as a share of E[(Y - beta)^2]; 0 is exact.
    """

    keep: Bool[np.ndarray, " x"]
    residual: float


def greedy_mask(contributions: Float[np.ndarray, "m x"], *, penalty: float = 0.1, block: float = 0.02) -> Mask:
    """The mask that minimises E[(v x + beta - Y)^2] + lambda |rho|_1, greedily from none.

    Every step adds the units that lower the sum most, each looked at alone, at most ``block`` of all. Together they may
    raise it, for they overlap: then half of them are tried, down to one. It ends when no unit lowers the sum.

    Args:
        contributions: nu x of each unit (columns) in images that show the attribute (rows).
        penalty: what keeping all units costs, as a share of what keeping none costs; 0 keeps all that help.
        block: share of all units that a step may add; smaller is closer to one at a time, and slower.

    Raises:
        ValueError: an array without rows or columns.
    """
    if 0 in contributions.shape:
        raise ValueError("contributions: expected at least one image and one unit")
    values = contributions.astype(np.float64)
    images, units = values.shape
    residual = values.sum(1)
    nothing_kept = float(residual @ residual) / images
    cost_of_a_unit = penalty * nothing_kept / units
    squares = np.einsum("mx,mx->x", values, values) / images
    keep, loss = np.zeros(units, bool), nothing_kept
    while True:
        # (r - v)^2 = r^2 - 2 r v + v^2: how much each unit alone would lower the sum
        gains = np.where(keep, -np.inf, 2 * (residual @ values) / images - squares - cost_of_a_unit)
        best = np.argsort(-gains, kind="stable")[: max(1, int(block * units))]
        best = best[gains[best] > 0]
        while len(best):  # together they may overshoot
            without = residual - values[:, best].sum(1)
            lower = float(without @ without) / images + cost_of_a_unit * (keep.sum() + len(best))
            if lower < loss:
                break
            best = best[: len(best) // 2]
        if not len(best):
            return Mask(keep, float(residual @ residual) / images / nothing_kept if nothing_kept else 0.0)
        keep[best], residual, loss = True, without, lower
