"""Failure modes: the leaves that fail clearly more than the base and cover enough of the errors (section 5)."""

from dataclasses import replace
from fractions import Fraction

from debugset.barlow.tree import FailureTree, Node, simplify


def failure_modes(tree: FailureTree, *, min_gain: float = 0.1, min_coverage: float = 0.2) -> list[Node]:
    """The leaves with an error rate above the base's by more than ``min_gain`` that cover more than ``min_coverage``.

    Args:
        tree: of a group.
        min_gain: the paper's delta.
        min_coverage: the paper's tau.

    Returns:
        The leaves, their rules simplified, by falling importance; equal ones in the order of the tree.

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
    """The paper's rule: ER > BER + delta and EC > tau, both strictly; reckoned without rounding.

    Args:
        leaf: of the tree.
        tree: its root has the base error rate.
        min_gain: delta.
        min_coverage: tau.
    """
    root = tree.nodes[0]
    gain = Fraction(leaf.failures, leaf.count) - Fraction(root.failures, root.count)
    coverage = Fraction(leaf.failures, root.failures or 1)
    return gain > Fraction(str(min_gain)) and coverage > Fraction(str(min_coverage))
