"""The diagnosis: pairs of attributes whose learned relation is not the true one (the paper's section 3)."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from debugset.base.arrays import ArrayLike, as_array, as_floats, as_mask
from debugset.relations.kullback_leibler import BANDWIDTH, BINS, FLOOR, MIN_STD, divergence
from debugset.relations.truth import check_relations

BLIND_SPOT, FAILURE_MODE = "blind spot", "failure mode"
MODES = ("++", "+-", "-+", "--")  # the signs of attribute a and attribute b


def diagnose(
    cosines: Float[np.ndarray, "n a a"] | ArrayLike,
    attributes: pd.DataFrame | ArrayLike,
    relations: pd.DataFrame,
    *,
    threshold: float = 0.2,
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
        threshold: of the mean cosine, and of its distance from what the label lets expect; by default the paper's.
        bins, bandwidth, floor, min_std: as in `divergence`.

    Returns:
        A row a pair, in the order of ``relations``: ``attribute_a, attribute_b, relation``; ``mean``, the mean cosine
        over the images in which either attribute is there; ``kl``, nats; ``kind``, `BLIND_SPOT`, `FAILURE_MODE` or
        empty; ``mode``, of a failure mode the signs of a and b in the rarer of its two kinds of images (one of
        `MODES`), else empty; then ``expected_mean, expected_std`` of the label, ``std, images`` of the pair and
        ``rank`` of its kl among pairs of the same label, from 1. A pair that no image shows has no mean and no kl.

    Raises:
        ValueError: shapes that do not fit, a cosine outside [-1, 1], an attribute that is missing or no number, or a
            bad ground truth.
    """
    shown, cosines = _shown(attributes), as_floats(cosines, "cosines")
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
    """The cosines of two attributes, columns of ``shown``, in the images in which either is there (note 3)."""
    first, second = shown.columns.get_loc(a), shown.columns.get_loc(b)
    return cosines[as_mask(shown[a] | shown[b], "shown", len(cosines)), first, second]


def rarer_mode(a: pd.Series, b: pd.Series, mean: float) -> str:
    """The failure mode of a pair that the network relates, positively or negatively, as the mean cosine says.

    Of the two kinds of images that such a relation gets wrong, the one with fewer images; in a tie the first of
    `MODES`. The arguments ``a`` and ``b`` say by image whether the attribute is there.
    """
    candidates = ("+-", "-+") if mean > 0 else ("++", "--")
    counts = mode_counts(a, b)
    return min(candidates, key=lambda mode: counts[MODES.index(mode)])


def mode_counts(a: pd.Series, b: pd.Series) -> Int64[np.ndarray, "4"]:
    """How many images are of each of `MODES`; arguments as for `rarer_mode`."""
    is_a, is_b = as_mask(a, "a", len(a)), as_mask(b, "b", len(a))
    places = 2 * (~is_a).astype(np.int64) + (~is_b).astype(np.int64)  # in MODES
    return np.bincount(places, minlength=len(MODES)).astype(np.int64)


def attribute_divergences(diagnosis: pd.DataFrame) -> pd.Series:
    """How badly each attribute is learned: the mean divergence of its pairs, 1/deg for each (equation 5), falling."""
    long = diagnosis.melt("kl", ["attribute_a", "attribute_b"], value_name="attribute")
    means = long.groupby("attribute", sort=False)["kl"].mean()
    return means.sort_values(ascending=False, kind="stable")


def _shown(attributes: pd.DataFrame | ArrayLike) -> pd.DataFrame:
    """Which attributes images show: where a number is positive or a boolean true."""
    values = as_array(attributes, "attributes")
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise ValueError(
            f"attributes: expected numbers (images x attributes), got shape {values.shape} of {values.dtype}; "
            "write 1 where an attribute is there, else -1 or 0"
        )
    if np.isnan(values).any():
        row, column = np.argwhere(np.isnan(values))[0]
        raise ValueError(f"attributes: row {row}, column {column} is missing; leave the image out, or write 1, -1 or 0")
    names = attributes.columns if isinstance(attributes, pd.DataFrame) else None
    return pd.DataFrame(values > 0, columns=names)


def _check(cosines: np.ndarray, shown: pd.DataFrame) -> None:
    images, attributes = shown.shape
    if cosines.shape != (images, attributes, attributes):
        raise ValueError(f"cosines: shape {cosines.shape} does not fit {images} images of {attributes} attributes")
    if not (np.abs(cosines) <= 1).all():
        raise ValueError("cosines: a value is missing or outside [-1, 1]")


def _expectations(samples: list[np.ndarray], labels: list[str]) -> dict[str, tuple[float, float]]:
    """By label, the cosines' mean and deviation over all its pairs: most are well learned, so flaws are outliers."""
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
