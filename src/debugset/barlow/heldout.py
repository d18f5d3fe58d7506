"""Whether what was found on the discovery half holds on images that it was not found on, and beyond chance."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from debugset.barlow.tree import FailureTree, Rule, failure_tree, holds
from debugset.features.matrix import Matrix

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class HeldOut:
    """A rule, measured on other images of its group.

    Attributes:
        count: images that the rule holds for.
        failures: of them.
        error_rate: failures / count; NaN where the rule holds for none.
        error_coverage: failures / all failures of the group; NaN where there are none.
        base_error_rate: of all images of the group; NaN where there are none.
        p: the probability of so many failures among them, or more, were failures spread at random.
    """

    count: int
    failures: int
    error_rate: float
    error_coverage: float
    base_error_rate: float
    p: float


def measured(rule: Rule, features: Float[Matrix, "n d"], failed: Bool[np.ndarray, " _n"]) -> HeldOut:
    """Measure a rule; p is Fisher's exact test against the rest of the group, one-sided."""
    from scipy.stats import hypergeom

    inside = holds(rule, features)
    count, failures, total, n = int(inside.sum()), int((inside & failed).sum()), int(failed.sum()), len(failed)
    p = float(hypergeom.sf(failures - 1, n, total, count)) if n else 1.0
    return HeldOut(count, failures, share(failures, count), share(failures, total), share(total, n), min(p, 1.0))


def corrected(p: Float64[np.ndarray, " m"], tried: int) -> Float64[np.ndarray, " m"]:
    """Bonferroni's correction: p times the number of tests, which is at least that of the groups tried.

    Args:
        p: of every failure mode.
        tried: groups that were searched for one.
    """
    return np.minimum(p * max(tried, len(p)), 1.0)


def heldout_gain(tree: FailureTree, features: Float[Matrix, "n d"], failed: Bool[np.ndarray, " _n"]) -> float:
    """ALER - BER of the tree's leaves on other images; NaN where none of them fails."""
    if not failed.any():
        return float("nan")
    scores = [measured(leaf.rule, features, failed) for leaf in tree.leaves]
    aler = sum(score.error_rate * score.error_coverage for score in scores if score.count)
    return aler - float(failed.mean())


def chance_gains(
    features: Float[Matrix, "n d"],
    failed: Bool[np.ndarray, " _n"],
    permutations: int,
    rng: np.random.Generator,
    *,
    n_features: int,
    max_depth: int,
    estimator: str,
) -> Float64[np.ndarray, " permutations"]:
    """ALER - BER when failures are shuffled among the group's images, feature selection included."""
    gains = np.empty(permutations)
    for turn in range(permutations):
        shuffled = rng.permutation(failed)
        tree = failure_tree(features, shuffled, n_features=n_features, max_depth=max_depth, estimator=estimator)
        gains[turn] = tree.aler - tree.base_error_rate
    return gains


def share(part: int, whole: int) -> float:
    """A part of a whole; NaN where there is nothing."""
    return part / whole if whole else float("nan")


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
