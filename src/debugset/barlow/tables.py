"""The tables of stage barlow: trees and their nodes, failure modes and their images, and the planted cause."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from debugset.barlow.analysis import Analysis, Explanation
from debugset.barlow.groups import NOTHING_TO_EXPLAIN
from debugset.barlow.modes import SIGNIFICANT, bonferroni, failure_modes, is_valid, score_rule
from debugset.barlow.planted import planted_cause
from debugset.barlow.tree import FailureTree, holds, read_rule, rule_text
from debugset.base.paths import DIAGNOSIS, SETS

KEY = ["analysed", "features", "grouping", "depth", "class"]
RATES = ["count", "failures", "error_rate", "error_coverage"]
_GROUP_COLUMNS = [*KEY, "images", "failures", "reason", "base_error_rate", "aler", "gain", "heldout_gain"]
_GROUP_COLUMNS += ["chance_gain", "chance_gain_95", "valid"]
NODE_COLUMNS = [*KEY, "node", "rule", "is_leaf", *RATES, "importance"]
MODE_COLUMNS = ["mode", "grouping", "class", "rule", "words", *RATES, "importance", "base_error_rate"]
MODE_COLUMNS += [f"heldout_{name}" for name in (*RATES, "base_error_rate")]
MEMBER_COLUMNS = ["mode", "image_id", "label", "half", "inside", "failed"]


def groups_frame(explanations: Sequence[Explanation]) -> pd.DataFrame:
    """A row a tree, or a group without one.

    Returns:
        `KEY`; images, failures; reason, why there is no tree, else ''; base_error_rate, aler, gain, heldout_gain;
        chance_gain (mean) and chance_gain_95 (the 95 % quantile); valid, whether the leaf of the highest importance is
        a failure mode (the paper's share of valid leaves).
    """
    rows = []
    for one in explanations:
        params, tree, chance = one.analysis.params, one.tree, one.chance_gains
        failed = one.analysis.failed[one.group.discovery]
        row = _key(one) | {"images": len(failed), "failures": int(failed.sum()), "reason": one.reason}
        if tree is not None:
            row |= {"base_error_rate": tree.base_error_rate, "aler": tree.aler, "gain": tree.gain}
            row |= {"heldout_gain": one.heldout_gain}
            row["valid"] = is_valid(tree.best_leaf, tree, params.min_gain, params.min_coverage)
            if len(chance):
                row |= {"chance_gain": float(chance.mean()), "chance_gain_95": float(np.quantile(chance, 0.95))}
        rows.append(row)
    return pd.DataFrame(rows, columns=_GROUP_COLUMNS).astype({"valid": "boolean"})


def why_no_modes(explanations: Sequence[Explanation]) -> str:
    """Why an analysis, given by its explanations, has no failure modes, and the mend, in one line."""
    params = explanations[0].analysis.params
    reasons: Counter[str] = Counter()
    for one in explanations:
        if one.depth == params.mode_depth:
            reasons["too few images" if one.reason not in ("", *NOTHING_TO_EXPLAIN) else one.reason] += 1
    if reasons[""]:
        return "no leaf passes `barlow.min_gain` and `barlow.min_coverage`; lower them to see weaker modes"
    line = "no group can be explained: " + ", ".join(f"{reason} in {count}" for reason, count in reasons.most_common())
    if reasons["too few images"]:
        line += f"; make {SETS / DIAGNOSIS} larger, or lower `barlow.min_images`"
    return line


def nodes_frame(explanations: Sequence[Explanation]) -> pd.DataFrame:
    """A row a node of every tree, root first: `NODE_COLUMNS`."""
    rows = []
    for one in explanations:
        if one.tree is None:
            continue
        for number, node in enumerate(one.tree.nodes):
            row = _key(one) | {"node": number, "rule": rule_text(node.rule)}
            row |= {name: getattr(node, name) for name in ("is_leaf", *RATES, "importance")}
            rows.append(row)
    return pd.DataFrame(rows, columns=NODE_COLUMNS)


def modes_frame(explanations: Sequence[Explanation]) -> pd.DataFrame:
    """The failure modes of an analysis at ``params.mode_depth``, those of the highest importance first.

    Returns:
        `MODE_COLUMNS`: the rule as JSON and in words, its numbers on the discovery half, those on the held-out half as
        heldout_count, ...; then p, p_corrected, and holds: whether that is below 0.05.
    """
    rows, tried = [], 0
    for one in explanations:
        if one.depth == one.analysis.params.mode_depth and one.tree is not None:
            tried += 1
            rows += _mode_rows(one, one.tree)
    table = pd.DataFrame(rows, columns=[*MODE_COLUMNS, "p"])
    table["p_corrected"] = bonferroni(table["p"].to_numpy(np.float64), tried)
    table["holds"] = table["p_corrected"] < SIGNIFICANT
    return table.sort_values("importance", ascending=False, kind="stable", ignore_index=True)


def _mode_rows(one: Explanation, tree: FailureTree) -> list[dict[str, Any]]:
    """The failure modes of one group, tried on its held-out half."""
    analysis, group = one.analysis, one.group
    features, failed = np.asarray(analysis.features[group.heldout]), analysis.failed[group.heldout]
    name = slugs(analysis.classes)[group.class_]
    modes = failure_modes(tree, min_gain=analysis.params.min_gain, min_coverage=analysis.params.min_coverage)
    rows = []
    for number, mode in enumerate(modes, start=1):
        score = score_rule(mode.rule, features, failed)
        row = {"mode": f"{group.grouping}-{name}-{number}", "grouping": group.grouping, "class": group.class_}
        row |= {"rule": json.dumps(mode.rule), "words": rule_text(mode.rule)}
        row |= {column: getattr(mode, column) for column in (*RATES, "importance")}
        row |= {f"heldout_{column}": getattr(score, column) for column in (*RATES, "base_error_rate")}
        rows.append(row | {"base_error_rate": tree.base_error_rate, "p": score.p})
    return rows


def members_frame(analysis: Analysis, modes: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """The images of the groups of an analysis's modes, discovery half first; ``ids`` are those of all images.

    Returns:
        `MEMBER_COLUMNS`: inside, whether the rule holds for an image; failed, whether the model fails on it.
    """
    groups = {(group.grouping, group.class_): group for group in analysis.groups()}
    parts = []
    for mode in modes.to_dict("records"):
        group, rule = groups[mode["grouping"], mode["class"]], read_rule(mode["rule"])
        for half, rows in (("discovery", group.discovery), ("heldout", group.heldout)):
            columns: dict[str, Any] = {"mode": mode["mode"], "image_id": ids[rows], "label": analysis.labels[rows]}
            columns |= {"half": half, "inside": holds(rule, np.asarray(analysis.features[rows]))}
            parts.append(pd.DataFrame(columns | {"failed": analysis.failed[rows]}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=MEMBER_COLUMNS)


def planted_frame(
    explanations: Sequence[Explanation], contexts: np.ndarray, frequent: set[tuple[int, str]]
) -> pd.DataFrame:
    """How well the most important leaf of every tree finds the planted cause, on the held-out half.

    Args:
        contexts: of all images.
        frequent: pairs of class and context, by `debugset.datasets.contexts.frequent_contexts`.

    Returns:
        `KEY`, then precision and recall of the leaf, and base, the precision of a random cluster.
    """
    rows = []
    for one in explanations:
        if one.tree is None:
            continue
        analysis, images = one.analysis, one.group.heldout
        told = (analysis.labels[images], analysis.predicted[images], contexts[images])
        cause = planted_cause(one.group.grouping, *told, frequent)
        found = score_rule(one.tree.best_leaf.rule, np.asarray(analysis.features[images]), cause)
        shares = {"precision": found.error_rate, "recall": found.error_coverage, "base": found.base_error_rate}
        rows.append(_key(one) | shares)
    return pd.DataFrame(rows, columns=[*KEY, "precision", "recall", "base"])


def slugs(classes: Sequence[str]) -> list[str]:
    """The classes' names as parts of files' names; with the index too where two names become the same."""
    names = [re.sub(r"[^\w.]+", "_", name) for name in classes]
    often = Counter(names)
    return [name if often[name] == 1 else f"{name}_{class_}" for class_, name in enumerate(names)]


def _key(one: Explanation) -> dict[str, Any]:
    values = (one.analysis.model, one.analysis.source, one.group.grouping, one.depth, one.group.class_)
    return dict(zip(KEY, values, strict=True))
