"""The analysis of a model's failures: a tree for every class, grouping and depth, and how much of it is chance."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from debugset.barlow.groups import GROUPINGS, Group, discovery_half, groups_of, obstacle
from debugset.barlow.modes import score_rule
from debugset.barlow.params import BarlowParams
from debugset.barlow.tree import FailureTree, failure_tree
from debugset.base.arrays import ArrayLike, as_labels
from debugset.base.machine import workers
from debugset.base.progress import progress
from debugset.features.matrix import Matrix

ORIGINAL, ROBUST = "original", "robust"


@dataclass(frozen=True)
class Analysis:
    """One model's failures, and the features that shall explain them."""

    model: str  # the name of the analysed one
    source: str  # the features' name
    features: Float[Matrix, "n d"]
    labels: Int64[np.ndarray, " n"]  # true classes
    predicted: Int64[np.ndarray, " n"]  # what the analysed model says
    discovery: Bool[np.ndarray, " n"]  # which images belong to the discovery half
    classes: Sequence[str]  # names
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
    """A group of an analysis and its tree."""

    analysis: Analysis
    group: Group
    depth: int  # the tree's largest
    tree: FailureTree | None  # fitted on the discovery half; None where the group can't be explained
    reason: str  # why not, in words; else ''
    heldout_gain: float  # ALER - BER on the held-out half
    chance_gains: Float64[np.ndarray, " p"]  # ALER - BER with shuffled failures


def analyses_of(
    labels: Int64[np.ndarray, " n"] | ArrayLike,
    classes: Sequence[str],
    predicted: Mapping[str, Int64[np.ndarray, " n"] | ArrayLike],
    features: Mapping[str, Float[Matrix, "n _d"]],
    params: BarlowParams,
) -> list[Analysis]:
    """The original model by every kind of features, those of the modes first; then the robust model by the latter.

    Args:
        labels: true classes.
        classes: their names.
        predicted: what the original and the robust model say.
        features: of every kind that params name.
    """
    truth = as_labels(labels, "labels", lowest=-1)
    said = {model: as_labels(of_model, "predicted", len(truth), lowest=-1) for model, of_model in predicted.items()}
    discovery = discovery_half(truth, params.discovery, params.random_state)
    pairs = [(ORIGINAL, source) for source in params.features]
    pairs.append((ROBUST, params.features[0]))
    return [
        Analysis(model, source, features[source], truth, said[model], discovery, classes, params)
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
    """Fit one tree on the discovery half; try it on the held-out half and against shuffled failures."""
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


def heldout_gain(tree: FailureTree, features: Float[Matrix, "n d"], failed: Bool[np.ndarray, " _n"]) -> float:
    """ALER - BER of the tree's leaves on other images; NaN where none of them fails."""
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
    """ALER - BER of trees that ``fit`` grows when failures are shuffled among images, feature selection included."""
    gains = np.empty(permutations)
    for turn in range(permutations):
        gains[turn] = fit(features, rng.permutation(failed)).gain
    return gains
