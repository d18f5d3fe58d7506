"""The elastic net that the solver adds to the loss, and how far a model is from the optimum."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64


class Penalty(NamedTuple):
    """An elastic net on all coefficients but the last row, the intercepts."""

    strength: float  # lambda
    alpha: float  # the lasso's share

    @property
    def lasso(self) -> float:
        """The factor of the absolute values."""
        return self.strength * self.alpha

    @property
    def ridge(self) -> float:
        """The factor of half the squares."""
        return self.strength * (1 - self.alpha)

    def value(self, coefficients: Float64[np.ndarray, "w k"]) -> float:
        """What it adds to the loss."""
        weights = coefficients[:-1]
        return self.lasso * float(np.abs(weights).sum()) + self.ridge / 2 * float((weights**2).sum())

    def residual(self, coefficients: Float64[np.ndarray, "w k"], gradient: Float64[np.ndarray, "w k"]) -> float:
        """The largest violation of the conditions of Karush, Kuhn and Tucker, which hold at the optimum."""
        weights = coefficients[:-1]
        slope = gradient[:-1] + self.ridge * weights
        used = np.abs(slope + self.lasso * np.sign(weights))
        violations = np.where(weights != 0, used, np.abs(slope) - self.lasso)
        return float(max(violations.max(), np.abs(gradient[-1]).max()))
