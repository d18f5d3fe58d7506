"""Blame is no remedy: what deleting the most blamed weights for good corrects, and what it breaks."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64

from debugset.base.arrays import ArrayLike, as_labels, as_values
from debugset.features.matrix import Matrix, as_features
from debugset.sparse.layer import DecisionLayer

DELETIONS = 5  # weights that are deleted, one at a time and all together
OTHER, SAME = "other", "same"  # images that deletions are counted on: not those of the blame, or those
COLUMNS = ["counted_on", "images", "deletion", "feature", "class", "blamed", "corrected", "broken"]


def try_deletions(
    layer: DecisionLayer,
    features: Float[Matrix, "n d"] | ArrayLike,
    labels: Int64[np.ndarray, " n"] | ArrayLike,
    image_ids: ArrayLike,
    errors: pd.DataFrame,
    *,
    removal: str = "zero",
    random_state: int = 0,
) -> pd.DataFrame:
    """Delete the weights that are blamed most, each alone and all together; a row a deletion.

    The images are split in random halves. Blame is taken from one half, and what the deletions change is counted on the
    other; besides, blame and counts on all images, which flatters the deletions.

    Args:
        labels: the true classes.
        errors: of the same images, by `debugset.sparse.removals.find_removals` with the same ``removal``.
        removal: what the feature becomes in the class's logit for good, ``zero`` or its ``mean`` in training.
        random_state: of the split.

    Returns:
        counted_on, ``other`` or ``same`` images than those of the blame, and how many images these are; deletion, from
        1 (the most blamed; of equal ones the lower class, then the lower feature) to 5 at most, 0 for all together;
        feature and class of the weight, -1 for all together; blamed, how many errors it stands for; corrected, errors
        that become right; broken, right predictions that become wrong. Without blame there are no rows.

    Raises:
        ValueError: lengths or widths do not fit, or the removal is unknown.
    """
    matrix = as_features(features, "features", width=len(layer.weights))
    labels = as_labels(labels, "labels", len(matrix))
    ids = as_values(image_ids, "image_ids", len(matrix))
    baseline, logits = layer.baseline(removal), layer.logits(matrix)
    right = logits.argmax(axis=1) == labels
    values = np.asarray(matrix)  # whole, as for the logits
    everyone = np.ones(len(ids), bool)
    half = np.random.default_rng(random_state).permutation(len(ids)) < len(ids) // 2
    rows = []
    for counted_on, of_blame, counted in ((OTHER, half, ~half), (SAME, everyone, everyone)):
        for deletion in _deletions(errors[errors["image_id"].isin(ids[of_blame])]):
            after = _logits_without(layer, values, logits, baseline, deletion.weights)
            right_after = after.argmax(axis=1) == labels
            row = {"counted_on": counted_on, "images": int(counted.sum())} | _described(deletion)
            row["corrected"] = int((counted & ~right & right_after).sum())
            row["broken"] = int((counted & right & ~right_after).sum())
            rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


class _Deletion(NamedTuple):
    """Weights that are deleted together."""

    number: int  # from 1, the most blamed; 0 for all together
    weights: list[tuple[int, int]]  # class and feature of each
    blamed: int  # errors that they stand for


def _deletions(errors: pd.DataFrame) -> list[_Deletion]:
    """The most blamed weights, one at a time, then all together; none where nothing is blamed."""
    counts = errors[errors["blamed"] >= 0].groupby(["predicted", "blamed"]).size().reset_index(name="errors")
    most = counts.sort_values("errors", ascending=False, kind="stable").head(DELETIONS)
    weights = list(zip(most["predicted"].tolist(), most["blamed"].tolist(), strict=True))
    deletions = []
    for number, (weight, blamed) in enumerate(zip(weights, most["errors"].tolist(), strict=True), start=1):
        deletions.append(_Deletion(number, [weight], blamed))
    if weights:
        deletions.append(_Deletion(0, weights, int(most["errors"].sum())))
    return deletions


def _logits_without(
    layer: DecisionLayer,
    features: Float[np.ndarray, "n d"],
    logits: Float64[np.ndarray, "n k"],
    baseline: Float64[np.ndarray, " d"],
    weights: list[tuple[int, int]],
) -> Float64[np.ndarray, "n k"]:
    """The logits of all images after weights were deleted, their features' baselines going to the bias."""
    after = logits.copy()
    for class_, feature in weights:
        activations = features[:, feature].astype(np.float64)
        after[:, class_] -= layer.weights[feature, class_] * (activations - baseline[feature])
    return after


def _described(deletion: _Deletion) -> dict[str, int]:
    """The columns that name a deletion."""
    class_, feature = deletion.weights[0] if deletion.number else (-1, -1)
    return {"deletion": deletion.number, "feature": feature, "class": class_, "blamed": deletion.blamed}
