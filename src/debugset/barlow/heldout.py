"""The proof of what the discovery half told: other images, shuffled failures, and the cause where one was planted."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from debugset.barlow.tree import FailureTree, Rule, holds
from debugset.features.matrix import Matrix

SIGNIFICANT = 0.05  # a mode whose corrected p lies below this holds


@dataclass(frozen=True)
class Score:
    """A rule on other images of its group.

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


def score_rule(rule: Rule, features: Float[Matrix, "n d"], failed: Bool[np.ndarray, " _n"]) -> Score:
    """Try a rule on images that it was not found on.

    Args:
        rule: its conditions.
        features: of a group's held-out images.
        failed: whether the model fails on each.

    Returns:
        The score; its p is Fisher's exact test against the rest of the group, one-sided.
    """
    from scipy.stats import hypergeom

    inside = holds(rule, features)
    count, failures, total, n = int(inside.sum()), int((inside & failed).sum()), int(failed.sum()), len(failed)
    p = float(hypergeom.sf(failures - 1, n, total, count)) if n else 1.0
    return Score(count, failures, _share(failures, count), _share(failures, total), _share(total, n), min(p, 1.0))


def bonferroni(p: Float64[np.ndarray, " m"], tried: int) -> Float64[np.ndarray, " m"]:
    """Bonferroni's correction: p times the number of tests, which is at least that of the groups tried.

    Args:
        p: of every failure mode.
        tried: groups that were searched for one.
    """
    return np.minimum(p * max(tried, len(p)), 1.0)


def heldout_gain(tree: FailureTree, features: Float[Matrix, "n d"], failed: Bool[np.ndarray, " _n"]) -> float:
    """ALER - BER of the tree's leaves on other images; NaN where none of them fails.

    Args:
        tree: found on the discovery half.
        features: of the group's held-out images.
        failed: whether the model fails on each.
    """
    if not failed.any():
        return float("nan")
    scores = [score_rule(leaf.rule, features, failed) for leaf in tree.leaves]
    aler = sum(score.error_rate * score.error_coverage for score in scores if score.count)
    return aler - float(failed.mean())


def chance_gains(
    fit: Callable[[Float[Matrix, "n d"], Bool[np.ndarray, " _n"]], FailureTree],
    features: Float[Matrix, "n d"],
    failed: Bool[np.ndarray, " _n"],
    permutations: int,
    rng: np.random.Generator,
) -> Float64[np.ndarray, " permutations"]:
    """ALER - BER when failures are shuffled among the group's images, feature selection included.

    Args:
        fit: grows a tree from features and failures, as `failure_tree` with its settings.
        features: of a group's images.
        failed: whether the model fails on each.
        permutations: how many shuffles.
        rng: of the shuffles.
    """
    gains = np.empty(permutations)
    for turn in range(permutations):
        gains[turn] = fit(features, rng.permutation(failed)).gain
    return gains


def frequent_contexts(labels: Int64[np.ndarray, " n"], contexts: np.ndarray) -> set[tuple[int, str]]:
    """The pairs of class and context that training shows more often than if all contexts were as frequent.

    Args:
        labels: of the training images.
        contexts: their contexts.
    """
    names, place = np.unique(contexts.astype(str), return_inverse=True)
    pairs = set()
    for class_ in np.unique(labels):
        counts = np.bincount(place[labels == class_], minlength=len(names))
        for context in names[counts > counts.sum() / len(names)]:
            pairs.add((int(class_), str(context)))
    return pairs


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
        contexts: of the images.
        frequent: pairs of class and context, by `frequent_contexts`.
    """
    keys = labels if grouping == "label" else predicted
    pairs = zip(keys.tolist(), contexts.astype(str).tolist(), strict=True)
    is_frequent = np.array([pair in frequent for pair in pairs], bool)
    return ~is_frequent if grouping == "label" else is_frequent & (labels != predicted)


def match_cause(inside: Bool[np.ndarray, " n"], cause: Bool[np.ndarray, " n"]) -> dict[str, float]:
    """How well a cluster of a group's images matches those with the planted cause.

    Args:
        inside: which images of the group are in the cluster.
        cause: which of them have the cause.

    Returns:
        The cluster's precision and recall, and base, a random cluster's precision; NaN where there is nothing.
    """
    both, clustered, caused = int((inside & cause).sum()), int(inside.sum()), int(cause.sum())
    return {"precision": _share(both, clustered), "recall": _share(both, caused), "base": _share(caused, len(cause))}


def _share(part: int, whole: int) -> float:
    """A part of a whole; NaN where there is nothing."""
    return part / whole if whole else float("nan")
