"""Failure modes: the leaves that fail clearly more than the base and cover enough of the errors (section 5)."""

from dataclasses import dataclass
from fractions import Fraction

from debugset.barlow.tree import FailureTree, Node, Rule, simplified


@dataclass(frozen=True)
class FailureMode:
    """A rule and how it fails.

    Attributes:
        rule: conditions (feature index in the input, ``<`` or ``>=``, threshold), all of which hold.
        error_rate: share of its images that the model gets wrong.
        error_coverage: share of the group's errors that are among its images.
        importance: their product.
        count: its images.
        failures: those of them that the model gets wrong.
    """

    rule: Rule
    error_rate: float
    error_coverage: float
    importance: float
    count: int
    failures: int


def failure_modes(tree: FailureTree, *, min_gain: float = 0.1, min_coverage: float = 0.2) -> list[FailureMode]:
    """The leaves with an error rate above the base's by more than ``min_gain`` that cover more than ``min_coverage``.

    Args:
        tree: of a group.
        min_gain: the paper's delta.
        min_coverage: the paper's tau.

    Returns:
        By falling importance; equal ones in the order of the leaves.

    Raises:
        ValueError: a bound lies outside [0, 1].
    """
    for name, value in (("min_gain", min_gain), ("min_coverage", min_coverage)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: must lie between 0 and 1, got {value}")
    found = [leaf for leaf in tree.leaves if is_valid(leaf, tree, min_gain, min_coverage)]
    found.sort(key=lambda leaf: -leaf.importance)
    return [
        FailureMode(
            simplified(leaf.rule), leaf.error_rate, leaf.error_coverage, leaf.importance, leaf.count, leaf.failures
        )
        for leaf in found
    ]


def is_valid(leaf: Node, tree: FailureTree, min_gain: float, min_coverage: float) -> bool:
    """The paper's rule: ER > BER + delta and EC > tau, both strictly; reckoned without rounding."""
    root = tree.nodes[0]
    gain = Fraction(leaf.failures, leaf.count) - Fraction(root.failures, root.count)
    coverage = Fraction(leaf.failures, root.failures or 1)
    return gain > Fraction(str(min_gain)) and coverage > Fraction(str(min_coverage))
