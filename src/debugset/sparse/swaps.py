"""Counterfactuals by exchanged backgrounds: which right predictions flip when a garment is shown elsewhere.

The pictures are made anew, so nothing but the background differs. That makes swaps the check of what a layer is said
to rest on: where a class's feature is highest, other garments should be taken for the class.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int64

from debugset.base.arrays import ArrayLike, as_values
from debugset.features.matrix import Matrix, as_features
from debugset.sparse.intervals import share_interval
from debugset.sparse.layer import DecisionLayer

USUAL, UNUSUAL, EMPTY = "usual", "unusual", "empty"  # kinds of tries
RAISED, LOWERED = "raised", "lowered"  # kinds of tries that a feature directs

Pairs = set[tuple[int, str]]  # of class and context, by `debugset.datasets.contexts.frequent_contexts`


def swaps_frame(
    image_ids: ArrayLike,
    labels: Int64[np.ndarray, " n"],
    contexts: Sequence[str],
    predicted: Int64[np.ndarray, "n b"],
    usual: Bool[np.ndarray, "k b"],
) -> pd.DataFrame:
    """Images that a layer gets right, on other backgrounds: a row a try.

    Args:
        image_ids: of the images.
        labels: their classes.
        contexts: of the backgrounds that each of them is shown on.
        predicted: what the layer says of each there.
        usual: by `usual_backgrounds`.

    Returns:
        kind (`USUAL` or `UNUSUAL`: the context for the class), image_id, label, context, target (the class that is
        predicted), flipped (another than the label), to_usual (it flipped to a class for which the context is usual),
        chance (the share of the other classes for which it is).
    """
    images, backgrounds = predicted.shape
    flipped = predicted != labels[:, None]
    is_usual = usual[labels]
    other_classes = usual.sum(axis=0) - is_usual
    return pd.DataFrame(
        {
            "kind": np.where(is_usual, USUAL, UNUSUAL).astype(object).ravel(),
            "image_id": np.repeat(np.asarray(image_ids, object), backgrounds),
            "label": np.repeat(labels, backgrounds),
            "context": np.tile(np.asarray(contexts, object), images),
            "target": predicted.ravel(),
            "flipped": flipped.ravel(),
            "to_usual": (flipped & usual[predicted, np.arange(backgrounds)]).ravel(),
            "chance": (other_classes / (len(usual) - 1)).ravel(),
        }
    )


def empty_frame(
    contexts: Sequence[str], predicted: Int64[np.ndarray, " b"], usual: Bool[np.ndarray, "k b"]
) -> pd.DataFrame:
    """Backgrounds alone: `swaps_frame`'s columns with the kind `EMPTY`, a number as image_id, label -1, and no flips.

    to_usual is whether the context is usual for the predicted class, chance the share of classes for which it is.
    """
    return pd.DataFrame(
        {
            "kind": EMPTY,
            "image_id": [f"{EMPTY}-{place:05d}" for place in range(len(predicted))],
            "label": -1,
            "context": np.asarray(contexts, object),
            "target": predicted,
            "flipped": False,
            "to_usual": usual[predicted, np.arange(len(predicted))],
            "chance": usual.mean(axis=0),
        }
    )


def usual_backgrounds(pairs: Pairs, contexts: Sequence[str], classes: int) -> Bool[np.ndarray, "k b"]:
    """Whether each background's context is usual for each class."""
    usual = np.zeros((classes, len(contexts)), bool)
    for place, context in enumerate(contexts):
        for class_ in range(classes):
            usual[class_, place] = (class_, context) in pairs
    return usual


def context_means(features: Float[Matrix, "n d"] | ArrayLike, contexts: ArrayLike) -> pd.DataFrame:
    """The mean of every feature on each context: a row a context, a column a feature.

    Args:
        features: of an image set.
        contexts: of its images.
    """
    matrix = as_features(features, "features")
    names = as_values(contexts, "contexts", len(matrix))
    return pd.DataFrame(np.asarray(matrix, np.float64)).groupby(names).mean()


def directed_frame(layer: DecisionLayer, swaps: pd.DataFrame, means: pd.DataFrame, top: int) -> pd.DataFrame:
    """Swaps that a class's feature directs: other classes' images where it says most for the class, and least.

    Args:
        layer: whose features they are.
        swaps: by `swaps_frame`, of the same layer.
        means: of the features on each context, by `context_means`.
        top: how many features of each class.

    Returns:
        kind (`RAISED` or `LOWERED`: the context on which the feature's mean adds most or least to the class's logit),
        class, feature, image_id, label, context, target, flipped (to that class).
    """
    parts = []
    for class_ in range(layer.weights.shape[1]):
        others = swaps[swaps["label"] != class_]
        others = others.assign(flipped=others["target"] == class_)
        for feature in layer.used(class_)[:top].tolist():
            adds = means[feature] * layer.weights[feature, class_]
            for kind, context in ((RAISED, adds.idxmax()), (LOWERED, adds.idxmin())):
                tries = others[others["context"] == context]
                parts.append(tries.assign(**{"kind": kind, "class": class_, "feature": feature}))
    columns = ["kind", "class", "feature", "image_id", "label", "context", "target", "flipped"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def swap_rates(swaps: pd.DataFrame, directed: pd.DataFrame, resamples: int, random_state: int) -> pd.DataFrame:
    """How often swaps flip, with bootstraps over the images, of which each is tried several times.

    Args:
        swaps: by `swaps_frame` and `empty_frame`, one below the other.
        directed: by `directed_frame`.
        resamples: behind each interval.
        random_state: of the resamples.

    Returns:
        measure, count (tries), value (a share), low and high (of its 95 % interval), chance (NaN where there is none).
        Measures: flips_unusual and flips_usual; flips_to_usual (of the flips on an unusual context, those to a class
        for which it is usual); empty_to_usual (backgrounds alone); directed_raised and directed_lowered.
    """
    unusual = swaps[swaps["kind"] == UNUSUAL]
    flips = unusual[unusual["flipped"]]
    measures = [
        ("flips_unusual", unusual, "flipped"),
        ("flips_usual", swaps[swaps["kind"] == USUAL], "flipped"),
        ("flips_to_usual", flips, "to_usual"),
        ("empty_to_usual", swaps[swaps["kind"] == EMPTY], "to_usual"),
        ("directed_raised", directed[directed["kind"] == RAISED], "flipped"),
        ("directed_lowered", directed[directed["kind"] == LOWERED], "flipped"),
    ]
    rows = []
    for measure, tries, column in measures:
        interval = share_interval(tries[column], tries["image_id"], resamples, random_state)
        chance = tries["chance"].mean() if column == "to_usual" else np.nan
        rows.append((measure, len(tries), *interval, chance))
    return pd.DataFrame(rows, columns=["measure", "count", "value", "low", "high", "chance"])
