"""Mutual information between single features and failure (Barlow, section 5), in nats.

``ksg`` is Ross' estimator for a continuous and a discrete variable (PLoS ONE 2014), with scikit-learn's three
neighbours. Where values tie, as zeros after a ReLU do, scikit-learn breaks ties by noise; here tied points count
together, as in Gao et al. (NeurIPS 2017), so the result is the same in every run. ``binned`` takes quantile bins
and Miller and Madow's correction of the entropies. Both need nothing but each feature's sorted values.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Bool, Float, Float64

from debugset.base.arrays import ArrayLike, as_mask
from debugset.base.compiled import loading_kernels
from debugset.base.machine import workers
from debugset.features.matrix import Matrix, as_features

_NEIGHBOURS = 3  # scikit-learn's default
BINS = 10  # a tenth of a group each: enough images in a bin for its share of failures
_FEATURES_AT_A_TIME = 128  # of which a thread holds a sorted copy


def mutual_information(
    features: Float[Matrix, "n d"] | ArrayLike,
    failed: Bool[np.ndarray, " _n"] | ArrayLike,
    *,
    estimator: str = "binned",
) -> Float64[np.ndarray, " d"]:
    """The mutual information of every feature with failure.

    Args:
        failed: whether the model fails on each image.
        estimator: ``binned`` (10 quantile bins, Miller-Madow) or ``ksg`` (3 neighbours).

    Returns:
        Nats, at least 0; all 0 where no image or every image fails.

    Raises:
        ValueError: shapes do not fit, there are no images, a feature is not finite, ``failed`` is no mask, or the
            estimator is unknown.
    """
    features, failed = as_group(features, failed)
    if estimator not in ("binned", "ksg"):
        raise ValueError(f"estimator: choose binned or ksg, got {estimator!r}")
    if failed.all() or not failed.any():
        return np.zeros(features.shape[1])
    failures, successes = features[failed], features[~failed]
    starts = range(0, features.shape[1], _FEATURES_AT_A_TIME)

    def of_columns(start: int) -> np.ndarray:
        columns = slice(start, start + _FEATURES_AT_A_TIME)
        return _of_sorted(_sorted_columns(failures[:, columns]), _sorted_columns(successes[:, columns]), estimator)

    with ThreadPoolExecutor(workers()) as pool:
        return np.concatenate(list(pool.map(of_columns, starts)))


def as_group(
    features: Float[Matrix, "n d"] | ArrayLike, failed: Bool[np.ndarray, " _n"] | ArrayLike
) -> tuple[Matrix, Bool[np.ndarray, " _n"]]:
    """The features and failures of the same images; a ValueError names what is amiss with either, NaN included."""
    features = as_features(features, "features")
    if not len(features):
        raise ValueError("features: there are no images; a group needs at least one")
    failed = as_mask(failed, "failed", len(features))
    if not np.isfinite(features[:]).all():
        raise ValueError("features: contains NaN or infinite values; embed these images again")
    return features, failed


def _of_sorted(failures: np.ndarray, successes: np.ndarray, estimator: str) -> Float64[np.ndarray, " d"]:
    from scipy.special import digamma

    with loading_kernels():
        from debugset.barlow import kernels
    if estimator == "binned":
        return kernels.binned(failures, successes, BINS)
    counts = np.arange(failures.shape[1] + successes.shape[1] + 1, dtype=np.float64)
    return kernels.ksg(failures, successes, _NEIGHBOURS, digamma(counts))  # that of 0 is never asked for


def _sorted_columns(values: np.ndarray) -> np.ndarray:
    """Every feature's values ascending, a row a feature; other types than the two that are compiled as float64."""
    columns = np.array(values.T, None if values.dtype in (np.float32, np.float64) else np.float64, order="C")
    columns.sort(axis=1)
    return columns
