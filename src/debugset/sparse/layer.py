"""A decision layer on features: what a class rests on, and what each feature adds to its logit."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64

from debugset.base.arrays import ArrayLike, as_labels
from debugset.features.matrix import Matrix, as_features

_ROWS_AT_A_TIME = 8192  # of features, when accuracy is measured


@dataclass(frozen=True)
class DecisionLayer:
    """Logits that are linear in features as they are: features @ weights + bias."""

    weights: Float64[np.ndarray, "d k"]  # 0 where a class does not use a feature
    bias: Float64[np.ndarray, " k"]
    means: Float64[np.ndarray, " d"]  # of each feature in the training images
    scales: Float64[np.ndarray, " d"]  # their standard deviations; 0 for a constant

    @property
    def importance(self) -> Float64[np.ndarray, "d k"]:
        """Weights of standardised features, which can be compared with each other."""
        return self.weights * self.scales[:, None]

    @property
    def features_per_class(self) -> float:
        """How many features a class uses, mean over the classes."""
        return float(np.count_nonzero(self.weights, axis=0).mean())

    def used(self, class_: int) -> Int64[np.ndarray, " u"]:
        """The features that a class uses, the most important first; none where its bias decides alone."""
        importance = np.abs(self.importance[:, class_])
        order = np.argsort(-importance, kind="stable")
        return order[self.weights[order, class_] != 0]

    def logits(self, features: Float[Matrix, "n d"] | ArrayLike) -> Float64[np.ndarray, "n k"]:
        """What the layer says of features, which are read whole; a ValueError if their width is another."""
        matrix = as_features(features, "features", width=len(self.weights))
        return np.asarray(matrix, np.float64) @ self.weights + self.bias

    def predict(self, features: Float[Matrix, "n d"] | ArrayLike) -> Int64[np.ndarray, " n"]:
        """The class of the highest logit; of equal ones the first."""
        return self.logits(features).argmax(axis=1)

    def accuracy(self, features: Float[Matrix, "n d"], labels: Int64[np.ndarray, " n"]) -> float:
        """The share of images that the layer gets right; features are read by blocks of rows."""
        right = 0
        for start in range(0, len(labels), _ROWS_AT_A_TIME):
            rows = slice(start, start + _ROWS_AT_A_TIME)
            right += int((self.predict(features[rows]) == labels[rows]).sum())
        return right / len(labels)

    def check_labels(self, labels: Int64[np.ndarray, " n"] | ArrayLike, count: int) -> Int64[np.ndarray, " n"]:
        """True classes of ``count`` images; a ValueError if one is none of the layer's."""
        indices, classes = as_labels(labels, "labels", count), len(self.bias)
        if (indices >= classes).any():
            raise ValueError(
                f"labels: {indices.max()} is none of the layer's {classes} classes; pass indices into them"
            )
        return indices

    def baseline(self, removal: str) -> Float64[np.ndarray, " d"]:
        """What a removed feature becomes: ``zero``, the paper's wording, or its ``mean`` in the training images."""
        if removal not in ("zero", "mean"):
            raise ValueError(f"removal: expected zero or mean, got {removal!r}")
        return self.means if removal == "mean" else np.zeros_like(self.means)
