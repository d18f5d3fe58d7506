"""How much of an image's class and context its nearest neighbours keep (Data-Centric Debugging, figure 7)."""

from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from pydantic import Field, PositiveInt

from debugset.base.arrays import ArrayLike, as_labels, as_values
from debugset.base.params import Section
from debugset.features.matrix import Matrix, as_features
from debugset.features.neighbours import nearest

COLUMNS = ["k", "class_retention", "context_retention", "both_retention"]


class RetentionParams(Section):
    """Which neighbours are asked.

    Attributes:
        embedders: slots whose features are compared.
        set: the image set, one that every embedder embeds; without a column ``context`` only class retention is told.
        ks: numbers of neighbours.
    """

    embedders: list[str] = Field(min_length=1)
    set: Literal["seed_source", "diagnosis"]
    ks: list[PositiveInt] = Field(min_length=1)


def retention(
    features: Float[Matrix, "n d"] | ArrayLike,
    classes: Int64[np.ndarray, " _n"] | ArrayLike,
    contexts: ArrayLike | None,
    ks: list[int],
) -> pd.DataFrame:
    """The share of each image's k nearest neighbours (not itself) that keep its class, its context, or both.

    Args:
        classes: class indices; -1 for images that show none.
        contexts: for example names; None where they are unknown.
        ks: numbers of neighbours.

    Returns:
        k, class_retention, context_retention, both_retention; NaN where there is no context.

    Raises:
        ValueError: shapes do not fit, a feature is not finite, a class or context is missing, or a k is below 1 or
            above n - 1.
    """
    features = as_features(features, "features")
    classes = as_labels(classes, "classes", len(features), lowest=-1)
    contexts = None if contexts is None else as_values(contexts, "contexts", len(features))
    if min(ks) < 1 or max(ks) >= len(features):
        raise ValueError(f"ks: must lie between 1 and {len(features) - 1}, one less than the images, got {ks}")
    neighbours = _others(nearest(features, features, max(ks) + 1, names=("features", "features")).row)
    kept = {"class_retention": classes[neighbours] == classes[:, None]}
    if contexts is not None:
        kept["context_retention"] = contexts[neighbours] == contexts[:, None]
        kept["both_retention"] = kept["class_retention"] & kept["context_retention"]
    rows = []
    for k in ks:
        rows.append({"k": k} | {name: same[:, :k].mean() for name, same in kept.items()})
    return pd.DataFrame(rows, columns=COLUMNS)


def chance(classes: Int64[np.ndarray, " n"] | ArrayLike, contexts: ArrayLike | None, ks: list[int]) -> pd.DataFrame:
    """What `retention` would be for neighbours drawn at random from the others; the same for every k."""
    classes = as_labels(classes, "classes", lowest=-1)
    expected = {"class_retention": _agreement(classes)}
    if contexts is not None:
        contexts = as_values(contexts, "contexts", len(classes))
        expected["context_retention"] = _agreement(contexts)
        expected["both_retention"] = _agreement(pd.factorize(contexts)[0] + classes * (len(classes) + 1))
    return pd.DataFrame([{"k": k, **expected} for k in ks], columns=COLUMNS)


def _others(index: np.ndarray) -> np.ndarray:
    """Each row's neighbours without itself; where more than k twins come before it, without the last."""
    own = index == np.arange(len(index))[:, None]
    own[~own.any(axis=1), -1] = True
    return index[~own].reshape(len(index), -1)


def _agreement(values: np.ndarray) -> float:
    """The probability that two different images agree."""
    counts = pd.Series(values).value_counts().to_numpy()
    return float((counts * (counts - 1)).sum() / (len(values) * (len(values) - 1)))
