"""Decision layers along a path: from one that uses no feature to the dense one."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64

from debugset.sparse.layer import DecisionLayer


@dataclass(frozen=True)
class SparsePath:
    """A decision layer for each lambda, from the sparsest; the last is the dense end, lambda 0."""

    lambdas: Float64[np.ndarray, " l"]  # descending
    weights: Float[np.ndarray, "l d k"]  # of features as they are
    bias: Float64[np.ndarray, "l k"]
    means: Float64[np.ndarray, " d"]  # of each feature in the training images
    scales: Float64[np.ndarray, " d"]  # their standard deviations; 0 for a constant
    features_per_class: Float64[np.ndarray, " l"]  # mean over the classes
    accuracy: Float64[np.ndarray, " l"]  # on the validation images; NaN without
    objective: Float64[np.ndarray, " l"]  # loss plus penalty, of standardised features
    kkt: Float64[np.ndarray, " l"]  # violation of the optimum's conditions, a share of lambda (at 0 of the smallest)
    steps: Int64[np.ndarray, " l"]

    def __len__(self) -> int:
        """How many layers there are."""
        return len(self.lambdas)

    def layer(self, place: int) -> DecisionLayer:
        """The decision layer at a place of the path; -1 is the dense end."""
        return DecisionLayer(self.weights[place].astype(np.float64), self.bias[place], self.means, self.scales)
