"""Failure modes: leaves that fail clearly more than the base and cover enough errors (section 5), and their proof."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Float, Float64

from debugset.barlow.tree import FailureTree, Node, Rule, holds, simplify
from debugset.base.arrays import ArrayLike, as_mask
from debugset.features.matrix import Matrix

SIGNIFICANT = 0.05  # a mode whose corrected p lies below this holds


@dataclass(frozen=True)
class Score:
    """A rule on other images of its group; rates are NaN where there is nothing to divide by."""

    count: int  # images that the rule holds for
    failures: int  # of them
    error_rate: float  # failures / count
    error_coverage: float  # failures / all failures of the group
    base_error_rate: float  # of all images of the group
    p: float  # the probability of so many failures among them, or more, were failures spread at random


def failure_modes(tree: FailureTree, *, min_gain: float = 0.1, min_coverage: float = 0.2) -> list[Node]:
    """The leaves with an error rate above the base's by more than ``min_gain`` that cover more than ``min_coverage``.

    Their rules are simplified; they come by falling importance, equal ones in the order of the tree.

    Args:
        tree: of a group.
        min_gain: the paper's delta.
        min_coverage: the paper's tau.

    Raises:
        ValueError: a bound lies outside [0, 1].
    """
    for name, value in (("min_gain", min_gain), ("min_coverage", min_coverage)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: must lie between 0 and 1, got {value}")
    modes = []
    for leaf in tree.leaves:
        if is_valid(leaf, tree, min_gain, min_coverage):
            modes.append(replace(leaf, rule=simplify(leaf.rule)))
    return sorted(modes, key=lambda mode: -mode.importance)


def is_valid(leaf: Node, tree: FailureTree, min_gain: float, min_coverage: float) -> bool:
    """The paper's rule: ER > BER + delta and EC > tau, both strictly; reckoned without rounding."""
    root = tree.nodes[0]
    gain = Fraction(leaf.failures, leaf.count) - Fraction(root.failures, root.count)
    coverage = Fraction(leaf.failures, root.failures or 1)
    return gain > Fraction(str(min_gain)) and coverage > Fraction(str(min_coverage))


def score_rule(
    rule: Rule, features: Float[Matrix, "n d"] | ArrayLike, failed: Bool[np.ndarray, " _n"] | ArrayLike
) -> Score:
    """Try a rule on images of a group that it was not found on; p is Fisher's exact test, one-sided, against the rest.

    Args:
        failed: whether the model fails on each; or whatever else the rule may tell, such as the planted cause.

    Raises:
        ValueError: shapes do not fit, a feature that the rule asks for is not finite, or ``failed`` is no mask.
    """
    from scipy.stats import hypergeom

    inside = holds(rule, features)
    failed = as_mask(failed, "failed", len(inside))
    count, failures, total, n = int(inside.sum()), int((inside & failed).sum()), int(failed.sum()), len(failed)
    p = float(hypergeom.sf(failures - 1, n, total, count)) if n else 1.0
    return Score(count, failures, _share(failures, count), _share(failures, total), _share(total, n), min(p, 1.0))


def bonferroni(p: Float64[np.ndarray, " m"], tried: int) -> Float64[np.ndarray, " m"]:
    """Every mode's p times the number of tests, which is at least that of the groups that were tried."""
    return np.minimum(p * max(tried, len(p)), 1.0)


def _share(part: int, whole: int) -> float:
    """A part of a whole; NaN where there is nothing."""
    return part / whole if whole else float("nan")
