"""Accelerated proximal block Newton: the optimum at one lambda after the other.

Every step takes the full gradient and minimises the models of all classes (`debugset.sparse.models`). The coupling that
they need is at most 2 near the optimum, for diag(p) - p p' <= 2 diag(p (1 - p)); it follows what steps observe. Between
steps Nesterov's extrapolation, begun anew when the objective rises.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float64

from debugset.sparse.loss import Loss, Point, Slope
from debugset.sparse.models import Models
from debugset.sparse.penalty import Penalty

_FIRST_COUPLING, _LEAST_COUPLING, _LARGEST_COUPLING = 1.2, 0.8, 2.2
_TRIES = 60
_SUFFICIENT = 0.1  # share of the predicted gain that a step must reach
_NO_MOVE = 1e-12
_CAUTION = 0.05  # share of the error allowed that may be left by this estimate, which at times is too low
_STEPS_LOOKED_BACK = 3
_FASTEST_RATE, _SLOWEST_RATE = 0.5, 0.95  # at which gains are taken to shrink from step to step
_TRUSTED_MOVE = 1e-6  # share of the objective; of less, rounding spoils the curvature seen


class Goal(NamedTuple):
    """When the optimum is found."""

    residual: float  # the KKT conditions are violated by no more
    error: float  # no more than this share of the objective is left to gain, as the last steps' gains tell
    steps: int  # no more than these


class Optimum(NamedTuple):
    """Where the steps at one lambda ended."""

    coefficients: Float64[np.ndarray, "w k"]
    objective: float
    residual: float  # violation of the KKT conditions
    steps: int


class _Trial(NamedTuple):
    """A point that the models proposed and the objective accepted."""

    point: Point
    objective: float
    gain: float  # over the origin, as the models predicted


class BlockNewton:
    """Steps from where the last optimum was to the next one."""

    def __init__(self, loss: Loss, coefficients: Float64[np.ndarray, "w k"]) -> None:
        self._loss, self._models, self._coupling = loss, Models(loss), _FIRST_COUPLING
        self._now, _ = loss.move(coefficients)
        self.slope = loss.slope(self._now)  # where it stands

    def minimise(self, penalty: Penalty, goal: Goal, expected: Bool[np.ndarray, "w k"]) -> Optimum:
        """Step until the goal is reached.

        Args:
            expected: the coefficients that probably are not zero; others join when the gradient asks for them.
        """
        now, slope, momentum = self._now, self.slope, 1.0
        del self._now  # its logits make room when a step has left it
        origin, objective = now, slope.loss + penalty.value(now.coefficients)
        gains: list[float] = []
        self._models.begin(expected)
        for step in range(1, goal.steps + 1):
            self._models.renew(origin, slope, penalty)
            trial = self._step(origin.coefficients, slope, penalty, gains)
            gains.append(trial.gain)
            is_near = penalty.residual(trial.point.coefficients, slope.gradient) <= goal.residual
            is_near &= remaining(gains) <= _CAUTION * goal.error * trial.objective
            rise = trial.objective - objective
            has_turned = rise > 0 and _turns(now.coefficients, origin.coefficients, trial.point.coefficients)
            del origin  # its logits make room
            if momentum > 1 and rise > slope.rounding:
                origin, momentum = now, 1.0
            else:
                origin, momentum = _extrapolate(now, trial.point, 1.0 if has_turned else momentum)
                now, objective = trial.point, trial.objective
            del trial
            if is_near or step == goal.steps:  # look at the point itself, not ahead of it
                origin, momentum = now, 1.0
            slope = self._loss.slope(origin)
            if is_near and penalty.residual(now.coefficients, slope.gradient) <= goal.residual:
                break
        self._now, self.slope = now, slope
        return Optimum(now.coefficients, objective, penalty.residual(now.coefficients, slope.gradient), step)

    def _step(self, origin: Float64[np.ndarray, "w k"], slope: Slope, penalty: Penalty, gains: list[float]) -> _Trial:
        """The models' minimum; with more coupling until the objective falls as they predict."""
        start = penalty.value(origin)
        before = slope.loss + start
        tolerance = min([1e-9 * before, *(0.01 * gain for gain in gains[-1:])]) / self._loss.classes
        for _ in range(_TRIES):
            coupling = self._coupling
            move = self._models.minimise(origin, slope.gradient, penalty, coupling, max(tolerance, 1e-14))
            point, loss = self._loss.move(move.coefficients)
            value = penalty.value(move.coefficients)
            gain = start - value - move.linear - coupling / 2 * move.quadratic
            seen = 2 * (loss - slope.loss - move.linear) / max(move.quadratic, np.finfo(float).tiny)
            fell = before - loss - value
            if fell >= _SUFFICIENT * gain - slope.rounding or coupling * move.quadratic < _NO_MOVE:
                break
            self._coupling = max(1.5 * coupling, 1.05 * seen)
        largest = max(_LARGEST_COUPLING, coupling / 2)  # far from the optimum more is needed, for a few steps
        wished = 0.5 * coupling + 0.55 * seen if coupling * move.quadratic > _TRUSTED_MOVE * before else coupling
        self._coupling = float(np.clip(wished, _LEAST_COUPLING, largest))
        return _Trial(point, loss + value, gain)


def remaining(gains: list[float]) -> float:
    """What further steps will gain, if each gains as much less than the one before as the last few did."""
    last = max(gains[-1], 0.0)
    look = min(len(gains) - 1, _STEPS_LOOKED_BACK)
    rate = (last / gains[-1 - look]) ** (1 / look) if look and gains[-1 - look] > 0 else _SLOWEST_RATE
    rate = min(max(rate, _FASTEST_RATE), _SLOWEST_RATE)
    return last * rate / (1 - rate)


def _turns(
    now: Float64[np.ndarray, "w k"], ahead: Float64[np.ndarray, "w k"], trial: Float64[np.ndarray, "w k"]
) -> bool:
    """Whether the step from ahead goes back: tells that momentum is too large where rounding hides a rise."""
    return float(((ahead - trial) * (trial - now)).sum()) > 0


def _extrapolate(before: Point, now: Point, momentum: float) -> tuple[Point, float]:
    """Nesterov's point ahead of now, and the next momentum."""
    following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
    share = (momentum - 1) / following
    if share == 0:
        return now, following
    ahead = now.coefficients + share * (now.coefficients - before.coefficients)
    if now.logits is None or before.logits is None:
        return Point(ahead, None), following
    return Point(ahead, torch.lerp(before.logits, now.logits, 1 + share)), following
