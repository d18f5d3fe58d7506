"""What a class rests on: its features by importance, and their pictures."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float64

from debugset.base.progress import progress
from debugset.images.sets import ImageSet
from debugset.sparse.layer import DecisionLayer
from debugset.visuals.feature_pictures import PICTURE_COLUMNS, Embedder, feature_pictures, strongest_rows
from debugset.visuals.params import VisualsParams

CLASS_FEATURE_COLUMNS = ["class", "rank", "feature", "weight", "importance", "share"]


def class_features(layer: DecisionLayer, classes: Sequence[str], shown: int) -> pd.DataFrame:
    """The features that each class uses, by falling importance; a class that uses none has no row.

    Args:
        layer: the decision layer.
        classes: the name of each of its classes.
        shown: how many features of a class, at most.

    Returns:
        class, rank (from 0), feature, weight, importance (the weight of the standardised feature), share (what part it
        is of all the class's importance of the same sign, shown or not).

    Raises:
        ValueError: there are more or fewer names than classes.
    """
    if len(classes) != layer.weights.shape[1]:
        raise ValueError(f"classes: the layer has {layer.weights.shape[1]}, got {len(classes)} names; name each once")
    parts = []
    for class_, name in enumerate(classes):
        used = layer.used(class_)[:shown]
        importance = layer.importance[:, class_]
        columns = {
            "class": name,
            "rank": np.arange(len(used)),
            "feature": used,
            "weight": layer.weights[used, class_],
            "importance": importance[used],
            "share": _shares(importance)[used],
        }
        parts.append(pd.DataFrame(columns, columns=CLASS_FEATURE_COLUMNS))
    return pd.concat(parts, ignore_index=True)


def class_feature_pictures(
    listed: pd.DataFrame, embedder: Embedder, images: ImageSet, visuals: VisualsParams
) -> pd.DataFrame:
    """The pictures of each feature that `class_features` lists, once however many classes use it.

    Of all images of the set, those that activate a feature most are shown.

    Returns:
        The columns of `debugset.visuals.feature_pictures.feature_pictures`, by ascending feature.

    Raises:
        ValueError: the embedder's features are those of another set, or lack a listed one.
    """
    if len(embedder.features) != len(images):
        raise ValueError(
            f"embedder: has the features of {len(embedder.features)} images, but {images.folder} has {len(images)}; "
            "pass those of this set"
        )
    features = np.unique(listed["feature"].to_numpy(np.int64))
    strongest = strongest_rows(embedder.features, features, np.arange(len(images)))
    parts = []
    for place, feature in enumerate(progress(features.tolist(), "sparse: pictures", unit=" features")):
        parts.append(feature_pictures(feature, embedder, images, strongest[place], visuals))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=PICTURE_COLUMNS)


def _shares(importance: Float64[np.ndarray, " d"]) -> Float64[np.ndarray, " d"]:
    """Each value as a part of the sum of those of its sign; 0 where it is 0."""
    of_positive, of_negative = importance.clip(min=0), importance.clip(max=0)
    totals = np.where(importance > 0, of_positive.sum(), of_negative.sum())
    return np.divide(importance, totals, out=np.zeros_like(importance), where=importance != 0)
