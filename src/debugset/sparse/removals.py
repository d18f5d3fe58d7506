"""Why a prediction is wrong: the fewest features of the predicted class whose removal corrects it (section 5).

A removed feature takes its baseline for all classes. An error is corrected when the true class then leads all others; a
tie is no lead. That such features exist proves little: a layer with many features, or with very few, has them by
chance. So every error carries its control, as many features drawn at random from those that the class uses.
"""

import json
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64

from debugset.base.arrays import ArrayLike, as_values
from debugset.base.compiled import loading_kernels
from debugset.features.matrix import Matrix, as_features
from debugset.sparse.intervals import share_interval
from debugset.sparse.layer import DecisionLayer

LARGEST = 10  # features in a set; longer lists explain nothing
CHANCES = ("by_chance", "by_chance_2", "by_chance_3")  # controls of one, two and three features
SHARE_COLUMNS = ["removed", "errors", "share", "low", "high", "chance", "chance_low", "chance_high"]
_DRAWS = 2_000  # of random sets for a class that has more


def find_removals(
    layer: DecisionLayer,
    features: Float[Matrix, "n d"] | ArrayLike,
    labels: Int64[np.ndarray, " n"] | ArrayLike,
    image_ids: ArrayLike,
    *,
    removal: str = "zero",
    random_state: int = 0,
) -> pd.DataFrame:
    """What corrects each error of a layer; a row an error, in the order of the images.

    The search is exact for one, two and three features; beyond it is greedy, up to 10. Of sets of one size that with
    the largest margin is taken; of equal margins the first, by an order of the features: how much their removal lowers
    the predicted class against the true one, then the layer's importance, then their number.

    Args:
        labels: the true classes.
        removal: what a removed feature becomes, ``zero`` or its ``mean`` in training.
        random_state: of the controls' draws.

    Returns:
        image_id, label, predicted; used, how many features the predicted class uses; size of the smallest correcting
        set, 0 for none; features, that set as a JSON list, in the order above or in that of the greedy search; blamed,
        the one feature that corrects (with the largest margin), -1 for none; by_chance, by_chance_2 and by_chance_3,
        the probability that one, two or three random features correct. They are drawn from those the class uses, or
        are all of them where it has fewer. Where there are more than 2,000 such sets, 2,000 draws estimate it, the
        same ones for all errors of a class.

    Raises:
        ValueError: lengths or widths do not fit, a label is none of the layer's classes, features are not finite, or
            the removal is unknown.
    """
    matrix = as_features(features, "features", width=len(layer.weights))
    labels = layer.check_labels(labels, len(matrix))
    ids = as_values(image_ids, "image_ids", len(matrix))
    baseline, logits = layer.baseline(removal), layer.logits(matrix)
    if not np.isfinite(logits).all():
        raise ValueError("features: contains NaN or infinite values; embed these images again")
    predicted = logits.argmax(axis=1)
    parts = []
    for class_ in range(logits.shape[1]):
        rows = np.flatnonzero((predicted == class_) & (labels != class_))
        used = layer.used(class_)
        drops = np.asarray(matrix[rows], np.float64)[:, used] - baseline[used]
        explained = _explain(logits[rows], drops, layer.weights[used], labels[rows], class_, used, random_state)
        known = pd.DataFrame({"image_id": ids[rows], "label": labels[rows], "predicted": class_}, index=rows)
        parts.append(known.join(explained.set_index(rows)))
    return pd.concat(parts).sort_index(ignore_index=True)


def _explain(
    logits: Float64[np.ndarray, "e k"],
    drops: Float64[np.ndarray, "e u"],
    weights: Float64[np.ndarray, "u k"],
    labels: Int64[np.ndarray, " e"],
    class_: int,
    used: Int64[np.ndarray, " u"],
    random_state: int,
) -> pd.DataFrame:
    """The columns from ``used`` on for the errors with one predicted class."""
    with loading_kernels():
        from debugset.sparse import removal_kernels as kernels
    gains = drops * (weights[:, class_] - weights[:, labels].T)
    orders = np.argsort(-gains, axis=1, kind="stable")
    places = kernels.smallest_sets(logits, drops, weights, labels, orders, LARGEST)
    sets = [used[row[row >= 0]].tolist() for row in places]
    table = pd.DataFrame({"used": len(used), "size": [len(set_) for set_ in sets]}, dtype=np.int64)
    table["features"] = pd.Series([json.dumps(set_) for set_ in sets], dtype=object)
    table["blamed"] = np.array([set_[0] if len(set_) == 1 else -1 for set_ in sets], np.int64)
    for size, name in enumerate(CHANCES, start=1):
        random_sets = _random_sets(len(used), size, np.random.default_rng([random_state, class_, size]))
        table[name] = kernels.shares_correcting(logits, drops, weights, labels, random_sets)
    return table


def _random_sets(count: int, size: int, rng: np.random.Generator) -> Int64[np.ndarray, "m s"]:
    """Every set of so many places out of ``count``, or draws of them; all places where there are not more."""
    size = min(size, count)
    if comb(count, size) <= _DRAWS:
        every = list(combinations(range(count), size))
        return np.array(every, np.int64).reshape(len(every), size)  # of no place: one set, the empty one
    draws = np.sort(rng.integers(count, size=(_DRAWS, size)), axis=1)
    return draws[(np.diff(draws, axis=1) > 0).all(axis=1)]  # what holds a place twice is no set of that size


def corrected_shares(errors: pd.DataFrame, resamples: int, random_state: int) -> pd.DataFrame:
    """How many errors one, two and three features correct, beside as many random ones.

    Args:
        errors: by `find_removals`.
        resamples: behind each interval.
        random_state: of the resamples.

    Returns:
        removed, at most so many features: 1, 2, 3; errors, how many there are; share of them that is corrected, with
        its 95 % interval low to high; chance, the control's share when exactly so many are drawn, with chance_low and
        chance_high. NaN where there are no errors.
    """
    rows = []
    for removed, name in enumerate(CHANCES, start=1):
        corrected = errors["size"].between(1, removed)
        interval = share_interval(corrected, errors["image_id"], resamples, random_state)
        rows.append((removed, len(errors), *interval, *_mean_interval(errors[name].to_numpy(np.float64))))
    return pd.DataFrame(rows, columns=SHARE_COLUMNS)


def _mean_interval(values: Float64[np.ndarray, " e"]) -> tuple[float, float, float]:
    """The mean of probabilities with its 95 % interval, by the normal distribution."""
    if not len(values):
        return np.nan, np.nan, np.nan
    mean, half = float(values.mean()), float(1.96 * values.std() / np.sqrt(len(values)))
    return mean, mean - half, mean + half
