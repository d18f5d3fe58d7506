"""The analysis of every class at once: trees by grouping and depth, what holds on held-out images, failure modes."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64, Int64

from debugset.barlow.groups import GROUPINGS, Group, groups_of, why_not
from debugset.barlow.heldout import (
    SIGNIFICANT,
    Found,
    chance_gains,
    corrected,
    heldout_gain,
    matched,
    measured,
    planted_cause,
)
from debugset.barlow.modes import failure_modes, is_valid
from debugset.barlow.params import BarlowParams
from debugset.barlow.tree import FailureTree, Node, Rule, failure_tree, holds, in_words
from debugset.base.machine import workers
from debugset.base.progress import progress
from debugset.features.matrix import Matrix

KEY = ["analysed", "features", "grouping", "depth", "class"]


@dataclass(frozen=True)
class Study:
    """One model's failures, and the features that shall explain them.

    Attributes:
        analysed: the model's name.
        source: the features' name.
        features: of all images.
        labels: true classes.
        predicted: what the analysed model says.
        discovery: which images belong to the discovery half.
        classes: the class names.
        params: how.
    """

    analysed: str
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
        for grouping in GROUPINGS:
            yield from groups_of(grouping, self.labels, self.predicted, self.discovery, len(self.classes))


class Explained(NamedTuple):
    """A group and its tree.

    Attributes:
        group: the images.
        depth: the tree's largest.
        tree: fitted on the discovery half; None where the group can't be explained.
        reason: why not, in words.
        heldout_gain: ALER - BER on the held-out half.
        chance_gains: ALER - BER with shuffled failures.
    """

    group: Group
    depth: int
    tree: FailureTree | None
    reason: str
    heldout_gain: float
    chance_gains: Float64[np.ndarray, " p"]


def explain(study: Study) -> list[Explained]:
    """Fit the trees of every group at every depth, several groups at a time.

    Features are read group by group, so memory holds those of a few groups.
    """
    jobs = [(group, depth) for group in study.groups() for depth in study.params.depths]
    name = f"barlow: {study.analysed} by {study.source}"
    with ThreadPoolExecutor(workers()) as pool:
        found = pool.map(lambda job: explain_group(study, *job), jobs)
        return list(progress(found, name, total=len(jobs), unit=" trees"))


def explain_group(study: Study, group: Group, depth: int) -> Explained:
    """Fit one tree on the discovery half; try it on the held-out half and against shuffled failures."""
    params = study.params
    if reason := why_not(group, study.failed, params.min_images):
        return Explained(group, depth, None, reason, float("nan"), np.empty(0))
    features, failed = np.asarray(study.features[group.discovery]), study.failed[group.discovery]
    options: dict[str, Any] = {"n_features": params.n_features, "max_depth": depth, "estimator": params.estimator}
    tree = failure_tree(features, failed, **options)
    others = np.asarray(study.features[group.heldout])
    rng = np.random.default_rng([params.random_state, GROUPINGS.index(group.grouping), group.class_, depth])
    return Explained(
        group, depth, tree, "",
        heldout_gain(tree, others, study.failed[group.heldout]),
        chance_gains(features, failed, params.permutations, rng, **options),
    )  # fmt: skip


def groups_frame(study: Study, explained: Sequence[Explained]) -> pd.DataFrame:
    """A row a tree: analysed, features, grouping, depth, class, images, failures, reason, base_error_rate, aler, gain,
    heldout_gain, chance_gain (mean), chance_gain_95 (the 95 % quantile) and valid.

    valid: whether the leaf of the highest importance is a failure mode (the paper's share of valid leaves).
    """  # fmt: skip
    rows = []
    for one in explained:
        tree, failed = one.tree, study.failed[one.group.discovery]
        row = _key(study, one) | {"images": len(failed), "failures": int(failed.sum()), "reason": one.reason}
        if tree is not None:
            chance = one.chance_gains
            row |= {
                "base_error_rate": tree.base_error_rate,
                "aler": tree.aler,
                "gain": tree.aler - tree.base_error_rate,
                "heldout_gain": one.heldout_gain,
                "chance_gain": float(chance.mean()) if len(chance) else np.nan,
                "chance_gain_95": float(np.quantile(chance, 0.95)) if len(chance) else np.nan,
                "valid": is_valid(best_leaf(tree), tree, study.params.min_gain, study.params.min_coverage),
            }
        rows.append(row)
    columns = ["images", "failures", "reason", "base_error_rate", "aler", "gain", "heldout_gain"]
    table = pd.DataFrame(rows, columns=[*KEY, *columns, "chance_gain", "chance_gain_95", "valid"])
    return table.astype({"valid": "boolean"})


def nodes_frame(study: Study, explained: Sequence[Explained]) -> pd.DataFrame:
    """A row a node of every tree: analysed, features, grouping, depth, class, node, rule, is_leaf, count, failures,
    error_rate, error_coverage, importance.
    """  # fmt: skip
    rows = [
        _key(study, one)
        | {
            "node": number, "rule": in_words(node.rule), "is_leaf": node.is_leaf, "count": node.count,
            "failures": node.failures, "error_rate": node.error_rate, "error_coverage": node.error_coverage,
            "importance": node.importance,
        }
        for one in explained if one.tree is not None
        for number, node in enumerate(one.tree.nodes)
    ]  # fmt: skip
    columns = ["node", "rule", "is_leaf", "count", "failures", "error_rate", "error_coverage", "importance"]
    return pd.DataFrame(rows, columns=[*KEY, *columns])


def modes_frame(study: Study, explained: Sequence[Explained]) -> pd.DataFrame:
    """The failure modes at ``params.mode_depth``, those of the highest importance first.

    Returns:
        mode (its name), grouping, class, rule (JSON), words, count, failures, error_rate, error_coverage,
        importance, base_error_rate; the same of the held-out half as heldout_count, ...; p, p_corrected,
        and holds: whether the corrected p is below 0.05.
    """
    rows, tried, names = [], 0, slugs(study.classes)
    for one in explained:
        if one.depth != study.params.mode_depth or one.tree is None:
            continue
        tried += 1
        others, failed = np.asarray(study.features[one.group.heldout]), study.failed[one.group.heldout]
        found = failure_modes(one.tree, min_gain=study.params.min_gain, min_coverage=study.params.min_coverage)
        for number, mode in enumerate(found, start=1):
            name = f"{one.group.grouping}-{names[one.group.class_]}-{number}"
            score = asdict(measured(mode.rule, others, failed))
            p = score.pop("p")
            rows.append(
                {"mode": name, "grouping": one.group.grouping, "class": one.group.class_}
                | {**asdict(mode), "rule": json.dumps(mode.rule), "words": in_words(mode.rule)}
                | {"base_error_rate": one.tree.base_error_rate}
                | {f"heldout_{key}": value for key, value in score.items()}
                | {"p": p}
            )
    table = pd.DataFrame(rows, columns=MODE_COLUMNS)
    table["p_corrected"] = corrected(table["p"].to_numpy(np.float64), tried)
    table["holds"] = table["p_corrected"] < SIGNIFICANT
    return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


MODE_COLUMNS = [
    "mode", "grouping", "class", "rule", "words", "count", "failures", "error_rate", "error_coverage", "importance",
    "base_error_rate", "heldout_count", "heldout_failures", "heldout_error_rate", "heldout_error_coverage",
    "heldout_base_error_rate", "p",
]  # fmt: skip


def members_frame(study: Study, modes: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """The images of each mode's group: mode, image_id, label, half, inside (the rule holds), failed."""
    groups = {(group.grouping, group.class_): group for group in study.groups()}
    parts = [pd.DataFrame(columns=["mode", "image_id", "label", "half", "inside", "failed"])]
    for mode in modes.to_dict("records"):
        group, rule = groups[mode["grouping"], mode["class"]], read_rule(mode["rule"])
        for half, rows in (("discovery", group.discovery), ("heldout", group.heldout)):
            shown: dict[str, Any] = {"mode": mode["mode"], "image_id": ids[rows], "label": study.labels[rows]}
            inside = holds(rule, np.asarray(study.features[rows]))
            parts.append(pd.DataFrame({**shown, "half": half, "inside": inside, "failed": study.failed[rows]}))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def planted_frame(
    study: Study, explained: Sequence[Explained], contexts: np.ndarray, usual: set[tuple[int, str]]
) -> pd.DataFrame:
    """How well the most important leaf of every tree finds the planted cause, on the held-out half.

    Returns:
        analysed, features, grouping, depth, class, precision, recall, base.
    """
    causes = {
        grouping: planted_cause(grouping, study.labels, study.predicted, contexts, usual) for grouping in GROUPINGS
    }
    rows = []
    for one in explained:
        if one.tree is not None:
            rows_of_group = one.group.heldout
            inside = holds(best_leaf(one.tree).rule, np.asarray(study.features[rows_of_group]))
            rows.append(_key(study, one) | matched(inside, causes[one.group.grouping][rows_of_group])._asdict())
    return pd.DataFrame(rows, columns=[*KEY, *Found._fields])


def slugs(classes: Sequence[str]) -> list[str]:
    """The classes' names as parts of files' names; with the index too where two names become the same."""
    found = [re.sub(r"[^\w.]+", "_", name) for name in classes]
    often = Counter(found)
    return [name if often[name] == 1 else f"{name}_{class_}" for class_, name in enumerate(found)]


def best_leaf(tree: FailureTree) -> Node:
    """The leaf of the highest importance; the first of equal ones."""
    return max(tree.leaves, key=lambda leaf: leaf.importance)


def read_rule(text: str) -> Rule:
    """A rule from the JSON of the modes' table."""
    return tuple((int(feature), side, float(threshold)) for feature, side, threshold in json.loads(text))


def _key(study: Study, one: Explained) -> dict[str, Any]:
    return {
        "analysed": study.analysed,
        "features": study.source,
        "grouping": one.group.grouping,
        "depth": one.depth,
        "class": one.group.class_,
    }
