"""The analysis of a model's failures: a tree for every class, grouping and depth, and how much of it is chance."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from debugset.barlow.groups import GROUPINGS, Group, discovery_half, groups_of, obstacle
from debugset.barlow.heldout import chance_gains, heldout_gain
from debugset.barlow.params import BarlowParams
from debugset.barlow.tree import FailureTree, failure_tree
from debugset.base.machine import workers
from debugset.base.progress import progress
from debugset.features.matrix import Matrix

ORIGINAL, ROBUST = "original", "robust"


@dataclass(frozen=True)
class Analysis:
    """One model's failures, and the features that shall explain them.

    Attributes:
        model: the analysed model's name.
        source: the features' name.
        features: of all images.
        labels: true classes.
        predicted: what the analysed model says.
        discovery: which images belong to the discovery half.
        classes: the class names.
        params: how.
    """

    model: str
    source: str
    features: Float[Matrix, "n d"]
    labels: Int64[np.ndarray, " n"]
    predicted: Int64[np.ndarray, " n"]
    discovery: Bool[np.ndarray, " n"]
    classes: Sequence[str]
    params: BarlowParams

    @property
    def failed(self) -> Bool[np.ndarray, " n"]:
        """Whether the analysed model is wrong."""
        return self.predicted != self.labels

    def groups(self) -> Iterator[Group]:
        """Every class by label, then by prediction."""
        for grouping, keys in zip(GROUPINGS, (self.labels, self.predicted), strict=True):
            yield from groups_of(grouping, keys, self.discovery, len(self.classes))


class Explanation(NamedTuple):
    """A group and its tree.

    Attributes:
        analysis: whose group it is.
        group: the images.
        depth: the tree's largest.
        tree: fitted on the discovery half; None where the group can't be explained.
        reason: why not, in words; else ''.
        heldout_gain: ALER - BER on the held-out half.
        chance_gains: ALER - BER with shuffled failures.
    """

    analysis: Analysis
    group: Group
    depth: int
    tree: FailureTree | None
    reason: str
    heldout_gain: float
    chance_gains: Float64[np.ndarray, " p"]


def analyses_of(
    labels: Int64[np.ndarray, " n"],
    classes: Sequence[str],
    predicted: Mapping[str, Int64[np.ndarray, " n"]],
    features: Mapping[str, Float[Matrix, "n _d"]],
    params: BarlowParams,
) -> list[Analysis]:
    """The original model by every kind of features, those of the modes first; then the robust model by the latter.

    Args:
        labels: true classes.
        classes: their names.
        predicted: what the original and the robust model say.
        features: of every kind that params name.
        params: how.
    """
    discovery = discovery_half(labels, params.discovery, params.random_state)
    pairs = [(ORIGINAL, source) for source in params.features]
    pairs.append((ROBUST, params.features[0]))
    return [
        Analysis(model, source, features[source], labels, predicted[model], discovery, classes, params)
        for model, source in pairs
    ]


def explain(analysis: Analysis) -> list[Explanation]:
    """Fit the trees of every group at every depth, several groups at a time.

    Features are read group by group, so memory holds those of a few groups.
    """
    jobs = list(product(analysis.groups(), analysis.params.depths))
    name = f"barlow: {analysis.model} by {analysis.source}"
    with ThreadPoolExecutor(workers()) as pool:
        explanations = pool.map(lambda job: explain_group(analysis, *job), jobs)
        return list(progress(explanations, name, total=len(jobs), unit=" trees"))


def explain_group(analysis: Analysis, group: Group, depth: int) -> Explanation:
    """Fit one tree on the discovery half; try it on the held-out half and against shuffled failures.

    Args:
        analysis: whose features and failures they are.
        group: the images to explain.
        depth: the tree's largest.
    """
    params = analysis.params
    reason = obstacle(group, analysis.failed, params.min_images)
    if reason is not None:
        return Explanation(analysis, group, depth, None, reason, float("nan"), np.empty(0))
    fit = partial(failure_tree, n_features=params.n_features, max_depth=depth, estimator=params.estimator)
    features, failed = np.asarray(analysis.features[group.discovery]), analysis.failed[group.discovery]
    tree = fit(features, failed)
    gain = heldout_gain(tree, np.asarray(analysis.features[group.heldout]), analysis.failed[group.heldout])
    rng = np.random.default_rng([params.random_state, GROUPINGS.index(group.grouping), group.class_, depth])
    by_chance = chance_gains(fit, features, failed, params.permutations, rng)
    return Explanation(analysis, group, depth, tree, "", gain, by_chance)
