"""Quadratic models of the loss, one a class: what a step of the solver minimises instead of the loss."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64

from debugset.sparse.kernels import descend
from debugset.sparse.loss import Loss, Point, Slope
from debugset.sparse.penalty import Penalty

_STEPS_OF_A_MODEL = 8  # then its second derivatives are computed again
_DAMPING = 1e-4  # share of the second derivatives that is added: rows were left out, and features may be equal
_LEAST_CURVATURE = 1e-9
_SWEEPS = 200
_SWEEPS_WITHOUT_PENALTY = 100  # where classes separate, a model's own minimum lies too far away to be of use


class Move(NamedTuple):
    """Where the models' minimum lies, seen from an origin."""

    coefficients: Float64[np.ndarray, "w k"]
    linear: float  # gradient times move
    quadratic: float  # move times second derivatives times move, without the coupling


class Models:
    """Of every class its active coefficients, and the loss's second derivatives by them.

    A class's model takes the other classes as fixed; a factor on the second derivatives, the coupling, makes up for it.
    """

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._active = np.zeros((loss.design.width, loss.classes), bool)
        self._columns = [np.empty(0, np.int64)] * loss.classes
        self._grams = [np.empty((0, 0))] * loss.classes
        self._age = 0  # in steps

    def begin(self, expected: Bool[np.ndarray, "w k"]) -> None:
        """Forget the models; the next ones begin with the coefficients that are expected to be used."""
        self._active, self._age = expected.copy(), _STEPS_OF_A_MODEL
        self._active[-1] = True

    def renew(self, point: Point, slope: Slope, penalty: Penalty) -> None:
        """Let coefficients join that a point uses or its gradient asks for; compute what is old or has grown."""
        joined = (point.coefficients != 0) | (np.abs(slope.gradient) > penalty.lasso)
        stale = (joined & ~self._active).any(axis=0)
        self._active |= joined
        if self._age == _STEPS_OF_A_MODEL:
            stale[:], self._age = True, 0
        self._age += 1
        if not stale.any():
            return
        nothing = np.empty(0, np.int64)
        columns = [np.flatnonzero(self._active[:, k]) if stale[k] else nothing for k in range(len(stale))]
        grams = self._loss.grams(point, slope.largest, columns)
        for class_ in np.flatnonzero(stale):
            gram = grams[class_]
            gram[np.diag_indices_from(gram)] += _LEAST_CURVATURE + _DAMPING * gram.diagonal()
            self._columns[class_], self._grams[class_] = columns[class_], gram

    def minimise(
        self,
        origin: Float64[np.ndarray, "w k"],
        gradient: Float64[np.ndarray, "w k"],
        penalty: Penalty,
        coupling: float,
        tolerance: float,
    ) -> Move:
        """The minimum of all classes' models plus the penalty, each class by coordinate descent.

        Args:
            tolerance: gains of a coordinate that may be left.
        """
        target = np.zeros_like(origin)
        linear, quadratic = np.zeros(len(self._columns)), np.zeros(len(self._columns))
        sweeps = _SWEEPS if penalty.strength else _SWEEPS_WITHOUT_PENALTY
        lasso, ridge = penalty.lasso / coupling, penalty.ridge / coupling

        def of_class(class_: int) -> None:
            columns = self._columns[class_]
            target[columns, class_], linear[class_], quadratic[class_] = descend(
                self._grams[class_],
                gradient[columns, class_] / coupling,  # the whole model divided by the coupling
                origin[columns, class_],
                lasso,
                ridge,
                sweeps,
                tolerance / coupling,
            )

        self._loss.each(of_class, range(len(self._columns)))
        return Move(target, coupling * float(linear.sum()), float(quadratic.sum()))
