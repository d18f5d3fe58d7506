"""What a class rests on: its features by importance."""

import numpy as np
import pandas as pd
from jaxtyping import Float64

from debugset.sparse.layer import DecisionLayer

CLASS_FEATURE_COLUMNS = ["class", "rank", "feature", "weight", "importance", "share"]


def class_features(layer: DecisionLayer, shown: int | None = None) -> pd.DataFrame:
    """The features that each class uses, by falling importance; a class that uses none has no row.

    Args:
        layer: the decision layer.
        shown: how many features of a class, at most; None for all.

    Returns:
        class, rank (from 0), feature, weight, importance (the weight of the standardised feature), share (what part it
        is of all the class's importance of the same sign, shown or not).
    """
    parts = []
    for class_ in range(len(layer.bias)):
        used = layer.used(class_)[:shown]
        importance = layer.importance[:, class_]
        columns = {
            "class": class_,
            "rank": np.arange(len(used)),
            "feature": used,
            "weight": layer.weights[used, class_],
            "importance": importance[used],
            "share": _shares(importance)[used],
        }
        parts.append(pd.DataFrame(columns, columns=CLASS_FEATURE_COLUMNS))
    return pd.concat(parts, ignore_index=True)


def _shares(importance: Float64[np.ndarray, " d"]) -> Float64[np.ndarray, " d"]:
    """Each value as a part of the sum of those of its sign; 0 where it is 0."""
    of_positive, of_negative = importance.clip(min=0), importance.clip(max=0)
    totals = np.where(importance > 0, of_positive.sum(), of_negative.sum())
    return np.divide(importance, totals, out=np.zeros_like(importance), where=importance != 0)
