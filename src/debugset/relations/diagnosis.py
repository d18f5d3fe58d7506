"""The diagnosis: pairs of attributes whose learned relation is not the true one (the paper's section 3)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from debugset.relations.kullback_leibler import divergence
from debugset.relations.truth import check_relations

BLIND_SPOT, FAILURE_MODE = "blind spot", "failure mode"
MODES = ("++", "+-", "-+", "--")  # the signs of attribute a and attribute b
THRESHOLD = 0.2


def diagnose(
    cosines: Float[np.ndarray, "n a a"],
    attributes: pd.DataFrame | np.ndarray,
    relations: pd.DataFrame,
    *,
    threshold: float = THRESHOLD,
    **options: Any,
) -> pd.DataFrame:
    """Compare mined relations with the ground truth.

    Args:
        cosines: of the inference patterns of every two attributes, image by image.
        attributes: of the same images, positive where one is there; named by its columns (an array's are numbered).
        relations: ``attribute_a, attribute_b, relation``; any labels. Unlabelled pairs are left out.
        threshold: of the mean cosine, and of its distance from what the label lets expect.
        options: of `divergence`: ``bins, bandwidth, floor, min_std``.

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
    if cosines.shape != (len(shown), shown.shape[1], shown.shape[1]):
        raise ValueError(
            f"cosines: shape {cosines.shape} does not fit {len(shown)} images of {shown.shape[1]} attributes"
        )
    if not (np.abs(cosines) <= 1).all():
        raise ValueError("cosines: a value is missing or outside [-1, 1]")
    pairs = check_relations(relations, list(shown.columns))
    samples = [
        pair_samples(cosines, shown, a, b) for a, b in zip(pairs["attribute_a"], pairs["attribute_b"], strict=True)
    ]
    expected = expectations(samples, pairs["relation"])
    labelled: list[Any] = pairs.to_dict("records")
    rows = []
    for pair, found in zip(labelled, samples, strict=True):
        compared = _compared(found, *expected[pair["relation"]], threshold, options)
        mode = ""
        if compared["kind"] == FAILURE_MODE:
            mode = rarer_mode(shown[pair["attribute_a"]], shown[pair["attribute_b"]], compared["mean"])
        first = {name: compared[name] for name in ("mean", "kl", "kind")}
        rows.append({**pair, **first, "mode": mode, **compared})
    table = pd.DataFrame(rows)
    return table.assign(rank=table.groupby("relation")["kl"].rank(ascending=False, method="first"))


def pair_samples(cosines: Float[np.ndarray, "n a a"], shown: pd.DataFrame, a: Any, b: Any) -> Float[np.ndarray, " m"]:
    """The cosines of a pair in the images in which either attribute is there (the paper's note 3)."""
    first, second = shown.columns.get_loc(a), shown.columns.get_loc(b)
    return cosines[(shown[a] | shown[b]).to_numpy(), first, second]


def expectations(samples: list[np.ndarray], labels: pd.Series) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of the cosine over all images of all pairs that carry a label, by label.

    Most pairs of a label are taken to be well learned, so that its flaws are outliers.
    """
    found = {}
    for label in labels.unique():
        pooled = np.concatenate([one for one, mine in zip(samples, labels == label, strict=True) if mine])
        found[label] = (
            (float(pooled.mean(dtype=float)), float(pooled.std(dtype=float))) if len(pooled) else (np.nan, np.nan)
        )
    return found


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
    """How many images are of each of `MODES`."""
    return np.bincount(2 * (~a).to_numpy(np.int64) + (~b).to_numpy(np.int64), minlength=4).astype(np.int64)


def attribute_divergences(diagnosis: pd.DataFrame) -> pd.Series:
    """How badly each attribute is learned: the mean divergence of its pairs, 1/deg for each (equation 5).

    Args:
        diagnosis: by `diagnose`.

    Returns:
        By attribute, highest first.
    """
    ends = pd.concat(
        [diagnosis.rename(columns={name: "attribute"})[["attribute", "kl"]] for name in ("attribute_a", "attribute_b")]
    )
    return ends.groupby("attribute", sort=False)["kl"].mean().sort_values(ascending=False, kind="stable")


def _compared(
    found: Float[np.ndarray, " m"], mean: float, std: float, threshold: float, options: Mapping[str, Any]
) -> dict[str, Any]:
    if not len(found):
        return {
            "mean": np.nan,
            "kl": np.nan,
            "kind": "",
            "expected_mean": mean,
            "expected_std": std,
            "std": np.nan,
            "images": 0,
        }
    mined = float(found.mean(dtype=float))
    kind = ""
    if abs(mined - mean) > threshold and abs(mined) != threshold:
        kind = BLIND_SPOT if abs(mined) < threshold else FAILURE_MODE
    kl = divergence(found, mean, std, **options)
    return {
        "mean": mined, "kl": kl, "kind": kind, "expected_mean": mean, "expected_std": std,
        "std": float(found.std(dtype=float)), "images": len(found),
    }  # fmt: skip
