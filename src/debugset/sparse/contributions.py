"""What a card shows of an error: the largest contributions, what is removed, the logits before and after."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64

from debugset.base.arrays import ArrayLike, as_values
from debugset.features.matrix import Matrix, as_features
from debugset.sparse.layer import DecisionLayer


class Contribution(NamedTuple):
    """What a feature adds to the logit of one class."""

    feature: int
    weight: float
    activation: float  # in the image
    amount: float  # weight x (activation - baseline); what removal takes away


@dataclass(frozen=True)
class ExplainedError:
    """An error with its reasons in a layer."""

    image_id: Any
    label: int
    predicted: int
    removed: list[Contribution]  # to the predicted class; the smallest set that corrects, empty where none does
    for_predicted: list[Contribution]  # the largest to the predicted class, whatever their sign
    for_true: list[Contribution]  # the same for the true class
    before: Float64[np.ndarray, " k"]  # logits of the image
    after: Float64[np.ndarray, " k"]  # logits without what is removed


def draw_errors(errors: pd.DataFrame, corrected: int, others: int, random_state: int) -> pd.DataFrame:
    """Errors for cards, drawn at random so that cards do not flatter; fewer where there are not so many.

    Where errors join or leave, those that stay keep their order.

    Args:
        errors: by `debugset.sparse.removals.find_removals`.
        corrected: how many of those that one feature corrects; they come first.
        others: how many of those that no single feature corrects, whether two or more do or none.

    Returns:
        Rows of ``errors`` in the order of the draw.
    """
    drawn_by = [sha256(f"{random_state} {image_id}".encode()).digest() for image_id in errors["image_id"]]
    order = errors.iloc[sorted(range(len(errors)), key=drawn_by.__getitem__)]
    single = order["size"] == 1
    return pd.concat([order[single].head(corrected), order[~single].head(others)])


def explain_errors(
    layer: DecisionLayer,
    features: Float[Matrix, "n d"] | ArrayLike,
    image_ids: ArrayLike,
    errors: pd.DataFrame,
    *,
    removal: str = "zero",
    count: int = 5,
) -> list[ExplainedError]:
    """What to show of each error.

    Args:
        features: of all images that errors were found among.
        image_ids: theirs.
        errors: rows by `debugset.sparse.removals.find_removals` with the same ``removal``.
        count: of the largest contributions to a class, by amount whatever the sign; of equal ones the more important.

    Raises:
        ValueError: lengths or widths do not fit, an error's image is not among them, or the removal is unknown.
    """
    matrix = as_features(features, "features", width=len(layer.weights))
    ids = as_values(image_ids, "image_ids", len(matrix)).tolist()
    baseline = layer.baseline(removal)
    explained = []
    for error in errors.to_dict("records"):
        image_id, label, predicted = error["image_id"], error["label"], error["predicted"]
        if image_id not in ids:
            raise ValueError(
                f"image_ids: {image_id!r} of errors is missing; pass the images that they were found among"
            )
        activations = np.asarray(matrix[ids.index(image_id)], np.float64)
        removed = json.loads(error["features"])
        without = activations.copy()
        without[removed] = baseline[removed]
        before, after = layer.logits(np.stack([activations, without]))
        explained.append(
            ExplainedError(
                image_id,
                label,
                predicted,
                _contributions(layer, activations, baseline, predicted, removed),
                _largest(layer, activations, baseline, predicted, count),
                _largest(layer, activations, baseline, label, count),
                before,
                after,
            )
        )
    return explained


def _largest(
    layer: DecisionLayer,
    activations: Float64[np.ndarray, " d"],
    baseline: Float64[np.ndarray, " d"],
    class_: int,
    count: int,
) -> list[Contribution]:
    """The largest contributions to a class among the features that it uses."""
    every = _contributions(layer, activations, baseline, class_, layer.used(class_).tolist())
    return sorted(every, key=lambda contribution: -abs(contribution.amount))[:count]


def _contributions(
    layer: DecisionLayer,
    activations: Float64[np.ndarray, " d"],
    baseline: Float64[np.ndarray, " d"],
    class_: int,
    features: Sequence[int],
) -> list[Contribution]:
    """What each of the features adds to a class."""
    contributions = []
    for feature in features:
        weight, activation = float(layer.weights[feature, class_]), float(activations[feature])
        contributions.append(
            Contribution(feature, weight, activation, weight * (activation - float(baseline[feature])))
        )
    return contributions
