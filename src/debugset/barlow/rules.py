"""Rules: conditions on features, all of which hold for the images of a failure mode."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from debugset.neighbours import Matrix

Condition = tuple[int, Literal["<", ">="], float]  # feature index, side, threshold in the feature's own units
Rule = tuple[Condition, ...]


def holds(rule: Rule, features: Float[Matrix, "n d"]) -> Bool[np.ndarray, " n"]:
    """Which images a rule holds for; the empty rule holds for all. Features are compared as float32."""
    inside = np.ones(len(features), bool)
    for feature, side, threshold in rule:
        # thresholds lie between two float32 values, so they are compared in float64
        values = np.asarray(features[:][:, feature], np.float32).astype(np.float64)
        inside &= values < threshold if side == "<" else values >= threshold
    return inside


def simplified(rule: Rule) -> Rule:
    """The same rule with the tightest of several conditions on one side of a feature, in order of first mention."""
    tightest: dict[tuple[int, Literal["<", ">="]], float] = {}
    for feature, side, threshold in rule:
        known = tightest.get((feature, side), threshold)
        tightest[feature, side] = min(known, threshold) if side == "<" else max(known, threshold)
    return tuple((feature, side, threshold) for (feature, side), threshold in tightest.items())


def in_words(rule: Rule) -> str:
    """A rule as text: the features' own indices, thresholds unrounded."""
    return " and ".join(f"feature[{feature}] {side} {threshold!r}" for feature, side, threshold in rule)
