"""Which contexts an image set shows often with a class: what a classifier can come to rely on."""

import numpy as np
from jaxtyping import Int64


def frequent_contexts(labels: Int64[np.ndarray, " n"], contexts: np.ndarray) -> set[tuple[int, str]]:
    """The pairs of class and context that training shows more often than if all contexts were as frequent."""
    names, place = np.unique(contexts.astype(str), return_inverse=True)
    pairs = set()
    for class_ in np.unique(labels):
        counts = np.bincount(place[labels == class_], minlength=len(names))
        for context in names[counts > counts.sum() / len(names)]:
            pairs.add((int(class_), str(context)))
    return pairs
