"""The Kullback-Leibler divergence of observed cosines from what a relation lets expect (equation 4).

The paper does not say how Q, known by samples, becomes a density. Here both are probabilities of equal bins of [-1, 1].
P is the Gaussian's, renormalised there. Q is the samples', each spread by a Gaussian kernel that is renormalised there
too, mixed with a little of the uniform distribution. The floor keeps the divergence finite; the kernel keeps it
from depending on single samples; both are small enough that disjoint distributions do not all get the same value.
"""

import numpy as np
from jaxtyping import Float

from debugset.base.arrays import ArrayLike, as_floats

BINS, BANDWIDTH, FLOOR, MIN_STD = 40, 0.05, 1e-4, 0.05  # 0.05 is the width of a bin
SAMPLES_AT_A_TIME = 65_536  # against 41 edges they take 21 MB


def divergence(
    cosines: Float[np.ndarray, " m"] | ArrayLike,
    mean: float,
    std: float,
    *,
    bins: int = BINS,
    bandwidth: float = BANDWIDTH,
    floor: float = FLOOR,
    min_std: float = MIN_STD,
) -> float:
    """KL(P || Q) in nats: P a Gaussian of mean and standard deviation, Q the cosines observed, in [-1, 1].

    Args:
        bins: equal bins of [-1, 1].
        bandwidth: standard deviation of the kernel, by default the width of a bin; 0 counts the samples.
        floor: weight of the uniform distribution in Q; with 0 the result may be infinite.
        min_std: the least std, by default a bin's width too: a narrower P would call any spread a flaw.

    Raises:
        ValueError: no sample, a sample outside [-1, 1], samples that are no numbers in one dimension, or an argument
            out of range.
    """
    from scipy.special import ndtr

    cosines = as_floats(cosines, "cosines")
    _check(cosines, mean, std, bins, bandwidth, floor, min_std)
    edges = np.linspace(-1, 1, bins + 1)
    expected = np.diff(ndtr((edges - mean) / max(std, min_std)))
    if expected.sum() == 0:
        raise ValueError("mean: the Gaussian has nothing inside [-1, 1]; its mean is too far outside")
    expected /= expected.sum()
    observed = (1 - floor) * observed_shares(cosines, edges, bandwidth) + floor / bins
    some = expected > 0  # a bin that nothing is expected in adds nothing
    with np.errstate(divide="ignore"):  # without a floor the divergence may be infinite
        return float(np.sum(expected[some] * np.log(expected[some] / observed[some])))


def observed_shares(
    cosines: Float[np.ndarray, " m"], edges: Float[np.ndarray, " e"], bandwidth: float
) -> Float[np.ndarray, " bins"]:
    """The samples' share of each bin, smoothed inside [-1, 1] by a Gaussian kernel of that deviation; 0 counts them."""
    from scipy.special import ndtr

    if bandwidth == 0:
        return np.histogram(cosines, edges)[0] / len(cosines)
    total = np.zeros(len(edges) - 1)
    for start in range(0, len(cosines), SAMPLES_AT_A_TIME):
        samples = cosines[start : start + SAMPLES_AT_A_TIME].astype(np.float64)
        below = ndtr((edges - samples[:, None]) / bandwidth)
        total += (np.diff(below, axis=1) / (below[:, -1:] - below[:, :1])).sum(0)
    return total / len(cosines)


def _check(
    cosines: np.ndarray, mean: float, std: float, bins: int, bandwidth: float, floor: float, min_std: float
) -> None:
    if cosines.ndim != 1:
        raise ValueError(f"cosines: expected one dimension, got shape {cosines.shape}; pass the samples of one pair")
    if not len(cosines):
        raise ValueError("cosines: expected at least one sample")
    if not (np.abs(cosines) <= 1).all():
        raise ValueError("cosines: a sample is missing or outside [-1, 1]")
    if not (np.isfinite(mean) and np.isfinite(std) and max(std, min_std) > 0):
        raise ValueError(f"mean, std, min_std: expected finite, one deviation above 0 (got {mean}, {std}, {min_std})")
    if bins < 1:
        raise ValueError(f"bins: expected at least 1 (got {bins})")
    if not 0 <= bandwidth < np.inf:
        raise ValueError(f"bandwidth: expected at least 0, and finite (got {bandwidth})")
    if not 0 <= floor < 1:
        raise ValueError(f"floor: expected at least 0 and less than 1 (got {floor})")
