"""Groups of images that are explained one by one, each in a discovery and a held-out half (Barlow, section 5)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64

from debugset.base.arrays import ArrayLike, as_labels, as_mask

GROUPINGS = ("label", "prediction")  # explain false negatives and false positives


class Group(NamedTuple):
    """The images of one class, by label or by prediction."""

    grouping: str  # one of `GROUPINGS`
    class_: int
    discovery: Int64[np.ndarray, " a"]  # rows that rules are found on
    heldout: Int64[np.ndarray, " b"]  # rows that they are tried on


def discovery_half(
    labels: Int64[np.ndarray, " n"] | ArrayLike, share: float, random_state: int
) -> Bool[np.ndarray, " n"]:
    """Which images belong to the discovery half: a random ``share`` of each class, between 0 and 1, rounded."""
    labels = as_labels(labels, "labels", lowest=-1)
    rng = np.random.default_rng(random_state)
    chosen = np.zeros(len(labels), bool)
    for class_ in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == class_))
        chosen[rows[: round(share * len(rows))]] = True
    return chosen


def groups_of(
    grouping: str,
    keys: Int64[np.ndarray, " n"] | ArrayLike,
    discovery: Bool[np.ndarray, " n"] | ArrayLike,
    classes: int,
) -> Iterator[Group]:
    """The group of every class in turn, empty or not; ``keys`` are the images' classes by the grouping."""
    keys = as_labels(keys, "keys", lowest=-1)
    discovery = as_mask(discovery, "discovery", len(keys))
    order = np.argsort(keys, kind="stable")
    ends = np.searchsorted(keys[order], np.arange(classes + 1))
    for class_ in range(classes):
        rows = order[ends[class_] : ends[class_ + 1]]
        yield Group(grouping, class_, rows[discovery[rows]], rows[~discovery[rows]])


def obstacle(group: Group, failed: Bool[np.ndarray, " n"], min_images: int) -> str | None:
    """Why a group can't be explained, in words; None where it can. ``failed`` is of all images."""
    failures = failed[group.discovery]
    if len(failures) < min_images:
        return f"{len(failures)} images, fewer than {min_images}"
    if not failures.any():
        return "no failures"
    return "failures only" if failures.all() else None
