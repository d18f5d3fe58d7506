"""Barlow: failure modes of a classifier as short rules on features (Singla et al., CVPR 2021)."""

from debugset.barlow.information import mutual_information
from debugset.barlow.modes import FailureMode, failure_modes
from debugset.barlow.tree import FailureTree, Node, failure_tree

__all__ = ["FailureMode", "FailureTree", "Node", "failure_modes", "failure_tree", "mutual_information"]
