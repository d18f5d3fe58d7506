"""The diagnosis: pairs of attributes whose learned relation is not the true one (the paper's section 3)."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from debugset.relations.kullback_leibler import BANDWIDTH, BINS, FLOOR, MIN_STD, divergence
from debugset.relations.truth import check_relations

BLIND_SPOT, FAILURE_MODE = "blind spot", "failure mode"
MODES = ("++", "+-", "-+", "--")  # the signs of attribute a and attribute b
THRESHOLD = 0.2  # the paper's


def diagnose(
    cosines: Float[np.ndarray, "n a a"],
    attributes: pd.DataFrame | np.ndarray,
    relations: pd.DataFrame,
    *,
    threshold: float = THRESHOLD,
    bins: int = BINS,
    bandwidth: float = BANDWIDTH,
    floor: float = FLOOR,
    min_std: float = MIN_STD,
) -> pd.DataFrame:
    """Compare mined relations with the ground truth.

    Args:
        cosines: of the inference patterns of every two attributes, image by image.
        attributes: of the same images, positive where one is there; named by its columns (an array's are numbered).
        relations: ``attribute_a, attribute_b, relation``; any labels. Unlabelled pairs are left out.
        threshold: of the mean cosine, and of its distance from what the label lets expect.
        bins: of the divergence; this and the next three are as in `divergence`.
        bandwidth: of its kernel.
        floor: weight of the uniform distribution in what was observed.
        min_std: the least standard deviation of what is expected.

    Returns:
        A row a pair, in the order of ``relations``: ``attribute_a, attribute_b, relation``; ``mean``, the mean cosine
        over the images in which either attribute is there; ``kl``, nats; ``kind``, `BLIND_SPOT`, `FAILURE_MODE` or
        empty; ``mode``, of a failure mode the signs of a and b in the rarer of its two kinds of images (one of
        `MODES`), else empty; then ``expected_mean, expected_std`` of the label, ``std, images`` of the pair and
        ``rank`` of its kl among pairs of the same label, from 1. A pair that no image shows has no mean and no kl.

    Raises:
        ValueError: shapes that do not fit, a cosine outside [-1, 1], or a bad ground truth.
    """
    shown = pd.DataFrame(attributes) > 0
    _check(cosines, shown)
    pairs = check_relations(relations, list(shown.columns)).to_dict("records")
    samples = [pair_samples(cosines, shown, pair["attribute_a"], pair["attribute_b"]) for pair in pairs]
    expected = _expectations(samples, [pair["relation"] for pair in pairs])
    measure = partial(divergence, bins=bins, bandwidth=bandwidth, floor=floor, min_std=min_std)
    rows = []
    for pair, sample in zip(pairs, samples, strict=True):
        expected_mean, expected_std = expected[pair["relation"]]
        mean, std = _mean_and_std(sample)
        kl = measure(sample, expected_mean, expected_std) if len(sample) else np.nan
        kind = _kind(mean, expected_mean, threshold)
        a, b = shown[pair["attribute_a"]], shown[pair["attribute_b"]]
        mode = rarer_mode(a, b, mean) if kind == FAILURE_MODE else ""
        row = {**pair, "mean": mean, "kl": kl, "kind": kind, "mode": mode}
        row |= {"expected_mean": expected_mean, "expected_std": expected_std, "std": std, "images": len(sample)}
        rows.append(row)
    table = pd.DataFrame(rows)
    return table.assign(rank=table.groupby("relation")["kl"].rank(ascending=False, method="first"))


def pair_samples(cosines: Float[np.ndarray, "n a a"], shown: pd.DataFrame, a: Any, b: Any) -> Float[np.ndarray, " m"]:
    """The cosines of a pair in the images in which either attribute is there (the paper's note 3).

    Args:
        cosines: of every two attributes, image by image.
        shown: whether the same images show each attribute.
        a: the one attribute, a column of ``shown``.
        b: the other.
    """
    first, second = shown.columns.get_loc(a), shown.columns.get_loc(b)
    return cosines[(shown[a] | shown[b]).to_numpy(), first, second]


def rarer_mode(a: pd.Series, b: pd.Series, mean: float) -> str:
    """The failure mode of a pair that the network relates, positively or negatively.

    Of the two kinds of images that such a relation gets wrong, the one with fewer images; in a tie the first of
    `MODES`.

    Args:
        a: whether the one attribute is there, by image.
        b: whether the other is.
        mean: the mean cosine.
    """
    candidates = ("+-", "-+") if mean > 0 else ("++", "--")
    counts = mode_counts(a, b)
    return min(candidates, key=lambda mode: counts[MODES.index(mode)])


def mode_counts(a: pd.Series, b: pd.Series) -> Int64[np.ndarray, "4"]:
    """How many images are of each of `MODES`.

    Args:
        a: whether the one attribute is there, by image.
        b: whether the other is.
    """
    places = 2 * (~a).to_numpy(np.int64) + (~b).to_numpy(np.int64)  # in MODES
    return np.bincount(places, minlength=len(MODES)).astype(np.int64)


def attribute_divergences(diagnosis: pd.DataFrame) -> pd.Series:
    """How badly each attribute is learned: the mean divergence of its pairs, 1/deg for each (equation 5).

    Args:
        diagnosis: by `diagnose`.

    Returns:
        By attribute, highest first.
    """
    of_a = diagnosis[["attribute_a", "kl"]].rename(columns={"attribute_a": "attribute"})
    of_b = diagnosis[["attribute_b", "kl"]].rename(columns={"attribute_b": "attribute"})
    means = pd.concat([of_a, of_b]).groupby("attribute", sort=False)["kl"].mean()
    return means.sort_values(ascending=False, kind="stable")


def _check(cosines: np.ndarray, shown: pd.DataFrame) -> None:
    images, attributes = shown.shape
    if cosines.shape != (images, attributes, attributes):
        raise ValueError(f"cosines: shape {cosines.shape} does not fit {images} images of {attributes} attributes")
    if not (np.abs(cosines) <= 1).all():
        raise ValueError("cosines: a value is missing or outside [-1, 1]")


def _expectations(samples: list[np.ndarray], labels: list[str]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of the cosine over all images of all pairs that carry a label, by label.

    Most pairs of a label are taken to be well learned, so that its flaws are outliers.
    """
    by_label: dict[str, list[np.ndarray]] = {}
    for label, sample in zip(labels, samples, strict=True):
        by_label.setdefault(label, []).append(sample)
    return {label: _mean_and_std(np.concatenate(pooled)) for label, pooled in by_label.items()}


def _mean_and_std(sample: Float[np.ndarray, " m"]) -> tuple[float, float]:
    """Of a sample, in float64; NaN of an empty one."""
    if not len(sample):
        return np.nan, np.nan
    return float(sample.mean(dtype=float)), float(sample.std(dtype=float))


def _kind(mean: float, expected: float, threshold: float) -> str:
    """The flaw of a pair with that mean cosine; none where the mean is NaN or just at the threshold."""
    if not abs(mean - expected) > threshold or abs(mean) == threshold:
        return ""
    return BLIND_SPOT if abs(mean) < threshold else FAILURE_MODE
