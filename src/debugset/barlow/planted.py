"""How well rules find the planted cause of failure, where a generated world knows each image's context."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64

from debugset.barlow.heldout import share


class Found(NamedTuple):
    """How well a cluster of images matches those with the planted cause.

    Attributes:
        precision: share of the cluster's images that have the cause; NaN where the cluster is empty.
        recall: share of the group's images with the cause that are in the cluster; NaN where there are none.
        base: share of the group's images that have the cause, a random cluster's precision.
    """

    precision: float
    recall: float
    base: float


def usual_contexts(labels: Int64[np.ndarray, " n"], contexts: np.ndarray) -> set[tuple[int, str]]:
    """The pairs of class and context that training shows more often than if all contexts were as frequent.

    Args:
        labels: of the training images.
        contexts: their contexts.
    """
    names, place = np.unique(contexts.astype(str), return_inverse=True)
    found = set()
    for class_ in np.unique(labels):
        counts = np.bincount(place[labels == class_], minlength=len(names))
        found |= {(int(class_), str(names[one])) for one in np.flatnonzero(counts > counts.sum() / len(names))}
    return found


def planted_cause(
    grouping: str,
    labels: Int64[np.ndarray, " n"],
    predicted: Int64[np.ndarray, " n"],
    contexts: np.ndarray,
    usual: set[tuple[int, str]],
) -> Bool[np.ndarray, " n"]:
    """Which images have the planted cause.

    By label: a context that is unusual for the image's class. By prediction: a context that is usual for the
    predicted class, which the image does not show.
    """
    keys = labels if grouping == "label" else predicted
    is_usual = np.array([(int(key), str(context)) in usual for key, context in zip(keys, contexts, strict=True)], bool)
    return ~is_usual if grouping == "label" else is_usual & (labels != predicted)


def matched(inside: Bool[np.ndarray, " n"], cause: Bool[np.ndarray, " n"]) -> Found:
    """Precision and recall of a cluster for the cause, and the cause's share of the group."""
    both = int((inside & cause).sum())
    shown, total = int(inside.sum()), int(cause.sum())
    return Found(share(both, shown), share(both, total), share(total, len(cause)))
