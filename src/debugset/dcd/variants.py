"""The variants: which pool images each training set adds to the original one, and with what weight.

De-val images are in none of them, so de-val accuracy can choose among embedders.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Int64

from debugset.base.arrays import ArrayLike, as_labels, as_mask

EMBEDDERS = ("foundation", "original", "robust")
DCD = "dcd-"  # before the name of the embedder that picked
VARIANTS = ("retrain", "random", "complete", *(DCD + name for name in EMBEDDERS))
NOTHING_ADDED = {"images": 0, "by_class": {}, "weak_label_precision": None}  # retrain: the original data again


class Added(NamedTuple):
    """What a variant adds: pool manifest rows, their labels, and every class's weight in the loss."""

    rows: Int64[np.ndarray, " m"]
    labels: Int64[np.ndarray, " m"]
    class_weights: Float32[np.ndarray, " c"]


def candidates(pool: pd.DataFrame, keep: pd.DataFrame, deval: pd.DataFrame) -> Bool[np.ndarray, " n"]:
    """Which pool images `complete_images` and `random_images` may add: kept by the filter and not in de-val.

    Args:
        pool: the pool's manifest.
        keep: what the filter decided: ``image_id, keep``.
        deval: the picks of de-val: ``image_id``.
    """
    kept = keep.loc[keep["keep"], "image_id"]
    return (pool["id"].isin(kept) & ~pool["id"].isin(deval["image_id"])).to_numpy()


def complete_images(
    pool: pd.DataFrame,
    available: Bool[np.ndarray, " n"] | ArrayLike,
    train_labels: Int64[np.ndarray, " t"] | ArrayLike,
    classes: int,
) -> Added:
    """Variant ``complete``: all candidates, each class of the total weight it has in the original data (section 4.1).

    Args:
        pool: the pool's manifest: ``label``.
        available: of `candidates`.
        train_labels: labels of the original training images.
    """
    train_labels = as_labels(train_labels, "train_labels")
    rows = np.flatnonzero(as_mask(available, "available", len(pool), "pool images"))
    labels = pool["label"].to_numpy(np.int64)[rows]
    before, after = np.bincount(train_labels, minlength=classes), np.bincount(labels, minlength=classes)
    weights = before / np.maximum(before + after, 1)  # |train(y)| / (|train(y)| + |F(y)|)
    return Added(rows, labels, weights.astype(np.float32))


def random_images(
    pool: pd.DataFrame,
    available: Bool[np.ndarray, " n"] | ArrayLike,
    picks: pd.DataFrame,
    classes: int,
    random_state: int,
) -> Added:
    """Variant ``random``: candidates drawn without replacement, as many a class as in a debug-train set.

    Args:
        pool: the pool's manifest: ``label``.
        available: of `candidates`.
        picks: the debug-train set: ``class``.
        random_state: of the training run; each draws anew, so that the variant's interval holds the draw's luck.
    """
    available = as_mask(available, "available", len(pool), "pool images")
    labels = pool["label"].to_numpy(np.int64)
    rng = np.random.default_rng([random_state, 2])
    drawn = [np.empty(0, np.int64)]
    for label, size in picks["class"].value_counts().sort_index().items():
        mine = np.flatnonzero(available & (labels == label))
        drawn.append(rng.choice(mine, min(size, len(mine)), replace=False))
    rows = np.sort(np.concatenate(drawn))
    return Added(rows, labels[rows], np.ones(classes, np.float32))


def picked_images(pool: pd.DataFrame, picks: pd.DataFrame, classes: int) -> Added:
    """Variants ``dcd-<embedder>``: a debug-train set (``class, image_id``), each image under the class of its seed."""
    rows = pd.Series(np.arange(len(pool)), index=pool["id"]).reindex(picks["image_id"]).to_numpy(np.int64)
    return Added(rows, picks["class"].to_numpy(np.int64), np.ones(classes, np.float32))


def describe_added(added: Added, pool: pd.DataFrame, class_names: tuple[str, ...]) -> dict:
    """How many images a variant adds, by class, and what share of their labels is right where the truth is known."""
    truth = pool["true_label"].to_numpy()[added.rows] if "true_label" in pool else None
    counts = np.bincount(added.labels, minlength=len(class_names)).tolist()
    precision = float((truth == added.labels).mean()) if truth is not None and len(added.rows) else None
    by_class = dict(zip(class_names, counts, strict=True))
    return {"images": len(added.rows), "by_class": by_class, "weak_label_precision": precision}
