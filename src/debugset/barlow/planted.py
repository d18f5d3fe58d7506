"""The planted cause of a generated world's failures: a context that training seldom shows with a class."""

import numpy as np
from jaxtyping import Bool, Int64


def planted_cause(
    grouping: str,
    labels: Int64[np.ndarray, " n"],
    predicted: Int64[np.ndarray, " n"],
    contexts: np.ndarray,
    frequent: set[tuple[int, str]],
) -> Bool[np.ndarray, " n"]:
    """Which images have the planted cause.

    By label: a context that training seldom shows with the image's class. By prediction: a context that training
    often shows with the predicted class, which the image does not show.

    Args:
        grouping: ``label`` or ``prediction``.
        labels: true classes.
        predicted: what the analysed model says.
        frequent: pairs of class and context, by `debugset.datasets.contexts.frequent_contexts`.
    """
    keys = labels if grouping == "label" else predicted
    pairs = zip(keys.tolist(), contexts.astype(str).tolist(), strict=True)
    is_frequent = np.array([pair in frequent for pair in pairs], bool)
    return ~is_frequent if grouping == "label" else is_frequent & (labels != predicted)
