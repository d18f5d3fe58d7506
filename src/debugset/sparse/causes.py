"""Errors that their background caused, known by showing the same garment on other backgrounds, and what blame finds.

Whether a removed feature corrects an error proves little alone. Here the truth is known image by image, so blame can be
scored: does removing one feature correct the errors that the background caused, and is it the feature that reacts?
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64, Int64

from debugset.base.arrays import ArrayLike, as_floats, as_values
from debugset.features.matrix import Matrix, as_features
from debugset.sparse.intervals import INTERVAL, share_interval
from debugset.sparse.layer import DecisionLayer

NO_FEATURE = -1  # where a class uses none, or the removal of none corrects an error
_SHARE_OF_WINS = 0.5  # of the backgrounds, from which on the first one is called the cause


def causes_frame(
    layer: DecisionLayer,
    image_ids: ArrayLike,
    labels: Int64[np.ndarray, " n"] | ArrayLike,
    features: Float[Matrix, "n d"] | ArrayLike,
    exchanged: Float[np.ndarray, "n b d"] | ArrayLike,
) -> pd.DataFrame:
    """What other backgrounds make of a layer's errors.

    A feature's push is what it adds to the margin of the predicted class over the true one.

    Args:
        layer: whose errors they are.
        image_ids: of the errors.
        labels: their true classes.
        features: of the images as they are.
        exchanged: of the same garments on other backgrounds.

    Returns:
        A row an error: image_id, label, predicted; wins (backgrounds on which the true class is predicted), caused
        (it is on at least half of them); used (features that the predicted class uses) and, of those, fell_most (the
        one whose push fell most, mean over the backgrounds) and largest (the one that adds most to the predicted
        class's logit), `NO_FEATURE` if it uses none.

    Raises:
        ValueError: the layer predicts one of the images rightly, or arguments don't fit each other.
    """
    matrix = np.asarray(as_features(features, "features", width=len(layer.weights)), np.float64)
    labels, backgrounds = layer.check_labels(labels, len(matrix)), as_floats(exchanged, "exchanged")
    ids, predicted = as_values(image_ids, "image_ids", len(matrix)), layer.predict(matrix)
    _check_errors(layer, ids, labels, predicted)
    if backgrounds.ndim != 3 or backgrounds[:, :1].shape != (len(matrix), 1, matrix.shape[1]):
        raise ValueError(
            f"exchanged: expected the features of every error on each background ({len(matrix)}, backgrounds, "
            f"{matrix.shape[1]}), got shape {backgrounds.shape}"
        )
    wins = np.zeros(len(matrix), np.int64)
    for place in range(backgrounds.shape[1]):
        wins += layer.predict(backgrounds[:, place]) == labels
    of_predicted, of_true = layer.weights[:, predicted].T, layer.weights[:, labels].T
    used = of_predicted != 0
    fall = (of_predicted - of_true) * (matrix - backgrounds.mean(axis=1, dtype=np.float64))
    return pd.DataFrame(
        {
            "image_id": np.asarray(ids, object),
            "label": labels,
            "predicted": predicted,
            "wins": wins,
            "caused": wins >= _SHARE_OF_WINS * backgrounds.shape[1],
            "used": used.sum(axis=1),
            "fell_most": _highest(fall, used),
            "largest": _highest(of_predicted * matrix, used),
        }
    )


def score_blame(causes: pd.DataFrame, blames: pd.DataFrame, resamples: int, random_state: int) -> pd.DataFrame:
    """How well blame finds what a background caused.

    A hit is that the blamed feature is the one whose push fell most. What could as well be said without blame stands
    beside it: the largest contribution, a random one of the features that the class uses, and errors of other causes.

    Args:
        causes: by `causes_frame`.
        blames: of these errors and perhaps others of the layer: image_id and blamed, the feature whose removal
            corrects the error, `NO_FEATURE` where none does.
        resamples: behind each interval.
        random_state: of the resamples.

    Returns:
        measure, count (errors), value, low and high (of its 95 % interval), and chance (of a random feature to be a
        hit; NaN where there is none). Measures: corrected_caused and corrected_other (shares that one feature
        corrects); of corrected errors hit_caused, largest_caused (that the largest contribution is a hit) and
        hit_other; factor, by how much corrected_caused exceeds corrected_other, NaN where that is 0.

    Raises:
        ValueError: an error has no row in ``blames``, or two.
    """
    joined = causes[["image_id"]].merge(blames[["image_id", "blamed"]], on="image_id", how="left")
    if len(joined) != len(causes) or joined["blamed"].isna().any():
        raise ValueError("blames: expected one row for each error of causes; pass those of the same layer")
    blamed = joined["blamed"].to_numpy(np.int64)
    caused = causes["caused"].to_numpy(bool)
    corrected = blamed != NO_FEATURE
    hit = blamed == causes["fell_most"].to_numpy(np.int64)
    largest = (causes["largest"] == causes["fell_most"]).to_numpy(bool)
    by_chance = 1 / np.maximum(causes["used"].to_numpy(np.float64), 1)
    unknown = np.full(len(causes), np.nan)
    measures = {
        "corrected_caused": (corrected, caused, unknown),
        "corrected_other": (corrected, ~caused, unknown),
        "hit_caused": (hit, caused & corrected, by_chance),
        "largest_caused": (largest, caused & corrected, by_chance),
        "hit_other": (hit, ~caused & corrected, by_chance),
    }
    rows: list[tuple[str, int, float, float, float, float]] = []
    for measure, (values, errors, chance) in measures.items():
        interval = share_interval(values[errors], causes["image_id"][errors], resamples, random_state)
        rows.append((measure, int(errors.sum()), *interval, pd.Series(chance[errors]).mean()))
    factor = _ratio(corrected[caused], corrected[~caused], resamples, random_state)
    rows.append(("factor", len(causes), *factor, np.nan))
    return pd.DataFrame(rows, columns=["measure", "count", "value", "low", "high", "chance"])


def _check_errors(
    layer: DecisionLayer,
    ids: np.ndarray,
    labels: Int64[np.ndarray, " n"],
    predicted: Int64[np.ndarray, " n"],
) -> None:
    """Raise a ValueError if a label is none of the layer's classes, or is what the layer predicts."""
    if (predicted == labels).any():
        first = ids[int((predicted == labels).argmax())]
        raise ValueError(f"labels: the layer predicts image {first} rightly; pass errors alone")


def _highest(values: Float64[np.ndarray, "n d"], used: Bool[np.ndarray, "n d"]) -> Int64[np.ndarray, " n"]:
    """The used feature of the highest value in each row, of equal ones the first."""
    highest = np.where(used, values, -np.inf).argmax(axis=1)
    return np.where(used.any(axis=1), highest, NO_FEATURE)


def _ratio(
    first: Bool[np.ndarray, " a"], second: Bool[np.ndarray, " b"], resamples: int, random_state: int
) -> tuple[float, float, float]:
    """The ratio of two shares with its bootstrap's 95 % interval; NaN where there is nothing to divide by."""
    if not first.size or not second.any():
        return np.nan, np.nan, np.nan
    rng = np.random.default_rng(random_state)
    ratios = np.empty(resamples)
    for resample in range(resamples):
        first_share, second_share = (rng.choice(values, len(values)).mean() for values in (first, second))
        ratios[resample] = first_share / second_share if second_share else np.inf
    low, high = np.quantile(ratios, INTERVAL, method="inverted_cdf")  # which doesn't compute with infinity
    return float(first.mean() / second.mean()), float(low), float(high)
