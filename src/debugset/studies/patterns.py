"""What a feature is shown by: the images that activate it most."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, Int64

from debugset.base.arrays import ArrayLike, as_values
from debugset.features.matrix import Matrix, as_features

SHOWN = 6  # images


def top_rows(values: Float[np.ndarray, " n"], count: int = SHOWN) -> Int64[np.ndarray, " _m"]:
    """The rows of the largest values, the largest first; of equal ones the first."""
    return np.argsort(-values, kind="stable")[:count]


def top_images(
    features: Float[Matrix, "n d"] | ArrayLike, ids: Sequence[str] | np.ndarray, chosen: Iterable[int]
) -> dict[int, tuple[str, ...]]:
    """For each chosen feature the ids of the images that activate it most.

    Args:
        features: of the images that may be shown.
        ids: of these images.
        chosen: the features.
    """
    matrix = as_features(features, "features")
    ids = as_values(ids, "ids", len(matrix))
    columns = np.asarray(matrix, np.float64).T
    return {feature: tuple(map(str, ids[top_rows(columns[feature])])) for feature in sorted(set(chosen))}
