"""Decision trees that tell failures from successes by few features (Barlow, section 5, definitions 1 to 5)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int64

from debugset.barlow.information import as_group, mutual_information
from debugset.base.arrays import ArrayLike
from debugset.features.matrix import Matrix, as_features

Side = Literal["<", ">="]
Condition = tuple[int, Side, float]  # feature index, side, threshold in the feature's own units
Rule = tuple[Condition, ...]


@dataclass(frozen=True)
class Node:
    """A cluster of images: those that a path from the root leads to."""

    rule: Rule  # the conditions on the path; empty at the root
    is_leaf: bool
    count: int  # images
    failures: int  # those that the model gets wrong
    error_rate: float  # failures / count (definition 1)
    error_coverage: float  # failures / all failures of the tree; 0 where there are none (definition 2)

    @property
    def importance(self) -> float:
        """Error rate times error coverage (definition 5)."""
        return self.error_rate * self.error_coverage


@dataclass(frozen=True)
class FailureTree:
    """A fitted tree."""

    nodes: tuple[Node, ...]  # root first, then each node's lower side before its upper side
    selected: Int64[np.ndarray, " k"]  # features it could choose from, by falling mutual information; input's indices

    @cached_property
    def leaves(self) -> tuple[Node, ...]:
        """The nodes without children."""
        return tuple(node for node in self.nodes if node.is_leaf)

    @property
    def best_leaf(self) -> Node:
        """The leaf of the highest importance; the first of equal ones."""
        return max(self.leaves, key=lambda leaf: leaf.importance)

    @property
    def base_error_rate(self) -> float:
        """The error rate of all images (definition 3)."""
        return self.nodes[0].error_rate

    @property
    def aler(self) -> float:
        """The leaves' error rate, weighed by their error coverage (definition 4)."""
        return sum(leaf.importance for leaf in self.leaves)

    @property
    def gain(self) -> float:
        """ALER - BER: how much better than the base the leaves tell failures."""
        return self.aler - self.base_error_rate


def failure_tree(
    features: Float[Matrix, "n d"] | ArrayLike,
    failed: Bool[np.ndarray, " _n"] | ArrayLike,
    *,
    n_features: int = 20,
    max_depth: int = 1,
    estimator: str = "binned",
) -> FailureTree:
    """Fit a tree by entropy, failures and successes weighing the same, on the most informative features.

    Features are compared as float32, which is what scikit-learn's trees do. A group without failures, or of
    failures only, is a root alone.

    Args:
        failed: whether the model fails on each image.
        n_features: how many to choose from; ties in mutual information go to the lower index.
        max_depth: the paper truncates at 3 or less.
        estimator: of mutual information, see `mutual_information`.

    Raises:
        ValueError: shapes do not fit, there are no images, a feature is not finite, ``failed`` is no mask, or a number
            is below 1.
    """
    features, failed = as_group(features, failed)
    for name, value in (("n_features", n_features), ("max_depth", max_depth)):
        if value < 1:
            raise ValueError(f"{name}: must be at least 1, got {value}")
    information = mutual_information(features, failed, estimator=estimator)
    selected = np.argsort(-information, kind="stable")[:n_features].astype(np.int64)
    if failed.all() or not failed.any():
        root = _node((), np.ones(len(failed), bool), failed, is_leaf=True)
        return FailureTree((root,), selected)
    columns = np.asarray(features[:][:, selected], np.float32)
    return FailureTree(tuple(_nodes(columns, failed, max_depth, selected)), selected)


def _nodes(columns: np.ndarray, failed: np.ndarray, depth: int, selected: np.ndarray) -> Iterator[Node]:
    """The nodes of scikit-learn's tree, root first; the counts are ours, for its own are weighted."""
    from sklearn.tree import DecisionTreeClassifier

    weights = {0: 1.0, 1: (~failed).sum() / failed.sum()}  # the few failures weigh as much as all successes
    fitted = DecisionTreeClassifier(criterion="entropy", max_depth=depth, class_weight=weights, random_state=0)
    tree: Any = fitted.fit(columns, failed.astype(np.int64)).tree_

    def walk(place: int, rule: Rule, inside: np.ndarray) -> Iterator[Node]:
        """A node, then those below its lower side, then those below its upper."""
        lower, upper = int(tree.children_left[place]), int(tree.children_right[place])
        is_leaf = lower == -1
        yield _node(rule, inside, failed, is_leaf=is_leaf)
        if is_leaf:
            return
        # scikit-learn's lower side is x <= threshold, but none of the values equals a threshold
        column, threshold = tree.feature[place], float(tree.threshold[place])
        below = columns[:, column].astype(np.float64) < threshold
        feature = int(selected[column])
        yield from walk(lower, (*rule, (feature, "<", threshold)), inside & below)
        yield from walk(upper, (*rule, (feature, ">=", threshold)), inside & ~below)

    return walk(0, (), np.ones(len(failed), bool))


def _node(rule: Rule, inside: np.ndarray, failed: np.ndarray, *, is_leaf: bool) -> Node:
    count, failures, total = int(inside.sum()), int((inside & failed).sum()), int(failed.sum())
    return Node(rule, is_leaf, count, failures, failures / count, failures / total if total else 0.0)


def holds(rule: Rule, features: Float[Matrix, "n d"] | ArrayLike) -> Bool[np.ndarray, " n"]:
    """Which images a rule holds for; the empty rule holds for all. Features are compared as float32.

    Raises:
        ValueError: the features are no matrix, or one that the rule asks for is not finite.
    """
    features = as_features(features, "features")
    inside = np.ones(len(features), bool)
    for feature, side, threshold in rule:
        # thresholds lie between two float32 values, so they are compared in float64
        column = features[:][:, feature]
        if not np.isfinite(column).all():
            raise ValueError("features: contains NaN or infinite values; embed these images again")
        values = np.asarray(column, np.float32).astype(np.float64)
        inside &= values < threshold if side == "<" else values >= threshold
    return inside


def simplify(rule: Rule) -> Rule:
    """The same rule with the tightest of several conditions on one side of a feature, in order of first mention."""
    tightest: dict[tuple[int, Side], float] = {}
    for feature, side, threshold in rule:
        known = tightest.get((feature, side), threshold)
        tightest[feature, side] = min(known, threshold) if side == "<" else max(known, threshold)
    return tuple((feature, side, threshold) for (feature, side), threshold in tightest.items())


def rule_text(rule: Rule) -> str:
    """A rule for people: the features' own indices, thresholds unrounded."""
    return " and ".join(f"feature[{feature}] {side} {threshold!r}" for feature, side, threshold in rule)


def read_rule(text: str) -> Rule:
    """A rule from the JSON of the modes' table."""
    return tuple((int(feature), side, float(threshold)) for feature, side, threshold in json.loads(text))
