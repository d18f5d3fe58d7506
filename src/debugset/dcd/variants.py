"""The variants: which pool images each training set adds to the original one, and with what weight.

De-val images are in none of them, so de-val accuracy can choose among embedders.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

EMBEDDERS = ("foundation", "standard", "robust")
VARIANTS = ("retrain", "random", "complete", *(f"dcd-{name}" for name in EMBEDDERS))


class Added(NamedTuple):
    """What a variant adds: pool manifest rows, their labels, and every class's weight in the loss."""

    rows: Int64[np.ndarray, " m"]
    labels: Int64[np.ndarray, " m"]
    class_weights: Float32[np.ndarray, " c"]


def nothing_added(classes: int) -> Added:
    """Variant ``retrain``: the original data again, with other seeds."""
    return Added(np.empty(0, np.int64), np.empty(0, np.int64), np.ones(classes, np.float32))


def added_images(
    variant: str, pool: pd.DataFrame, keep: pd.DataFrame, picks: pd.DataFrame, train_labels: Int64[np.ndarray, " n"],
    classes: int, seed: int,
) -> Added:  # fmt: skip
    """The pool images that a variant adds.

    Args:
        variant: ``complete`` (all that the filter keeps, classes weighted as in the original data, section 4.1),
            ``random`` (as many a class as debug-train, drawn without replacement) or ``dcd-<embedder>``.
        pool: the pool's manifest: ``id, label``.
        keep: ``image_id, keep``, the filter's verdicts.
        picks: ``role, class, image_id``: of the embedder for dcd, of foundation for the others.
        train_labels: labels of the original training images.
        classes: number of classes.
        seed: of the training run; ``random`` draws anew for each, so that its interval holds the draw's luck.

    Raises:
        ValueError: the variant's name is unknown.
    """
    candidates = _candidates(pool, keep, picks)
    debug_train = picks[picks["role"] == "train"]
    ones = np.ones(classes, np.float32)
    if variant.startswith("dcd-"):
        rows = pd.Series(np.arange(len(pool)), index=pool["id"]).reindex(debug_train["image_id"]).to_numpy(np.int64)
        return Added(rows, debug_train["class"].to_numpy(np.int64), ones)
    labels = pool["label"].to_numpy(np.int64)
    if variant == "complete":
        rows = np.flatnonzero(candidates)
        return Added(rows, labels[rows], _reweighted(train_labels, labels[rows], classes))
    if variant == "random":
        sizes = debug_train["class"].value_counts().sort_index()
        rng = np.random.default_rng([seed, 2])
        drawn = []
        for class_, size in sizes.items():
            available = np.flatnonzero(candidates & (labels == class_))
            drawn.append(rng.choice(available, min(size, len(available)), replace=False))
        rows = np.sort(np.concatenate(drawn)) if drawn else np.empty(0, np.int64)
        return Added(rows.astype(np.int64), labels[rows], ones)
    raise ValueError(f"variant {variant!r} is none of {', '.join(VARIANTS)}")


def _candidates(pool: pd.DataFrame, keep: pd.DataFrame, picks: pd.DataFrame) -> np.ndarray:
    """Which pool images a variant may add: kept by the filter and not in de-val."""
    kept = keep.loc[keep["keep"], "image_id"]
    devalued = picks.loc[picks["role"] == "deval", "image_id"]
    return (pool["id"].isin(kept) & ~pool["id"].isin(devalued)).to_numpy()


def _reweighted(
    original: Int64[np.ndarray, " n"], added: Int64[np.ndarray, " m"], classes: int
) -> Float32[np.ndarray, " c"]:
    """Weights that give each class the total weight it has in the original data: |train(y)| / (|train(y)| + |F(y)|)."""
    before, after = np.bincount(original, minlength=classes), np.bincount(added, minlength=classes)
    return (before / np.maximum(before + after, 1)).astype(np.float32)


def describe_added(added: Added, pool: pd.DataFrame, class_names: tuple[str, ...]) -> dict:
    """How many images a variant adds, by class, and what share of their labels is right where the truth is known."""
    truth = pool["true_label"].to_numpy()[added.rows] if "true_label" in pool else None
    counts = np.bincount(added.labels, minlength=len(class_names))
    precision = float((truth == added.labels).mean()) if truth is not None and len(added.rows) else None
    return {
        "images": len(added.rows),
        "by_class": {name: int(count) for name, count in zip(class_names, counts, strict=True)},
        "weak_label_precision": precision,
    }
