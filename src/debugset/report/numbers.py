"""Numbers that the page, the metrics and the plots share."""

from typing import Any

import pandas as pd

from debugset.base.paths import BARLOW
from debugset.dcd.variants import DCD
from debugset.report.inputs import Inputs, records

# What the neighbours of an image may share with it: the name in the tables, and in words.
RETENTION_KINDS = {"class": "class", "context": "context", "both": "class and context"}
_PLANTED_CAUSES = BARLOW / "planted.parquet"


def weak_label_precision(inputs: Inputs) -> float | None:
    """The share of pool images whose weak label is their true class, or None where the truth is not known."""
    manifest = inputs.pool.manifest
    if "true_label" not in manifest or manifest.empty:
        return None
    return float((manifest["true_label"] == manifest["label"]).mean())


def variants_adding_alike(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the variants that add about as many images to a class, as in figure 10 c."""
    return table[table["variant"].str.startswith(DCD) | (table["variant"] == "random")]


def rule_gains(groups: pd.DataFrame) -> list[dict[str, Any]]:
    """Means over the groups of every analysed model, features, grouping and depth; valid is a share."""
    measured = groups[groups["reason"] == ""].astype({"valid": float})
    by_rules = measured.groupby(["analysed", "features", "grouping", "depth"], sort=False)
    means = by_rules[["gain", "heldout_gain", "chance_gain", "chance_gain_95", "valid"]].mean()
    return records(means.assign(groups=by_rules.size()).reset_index())


def planted_scores(inputs: Inputs) -> list[dict[str, Any]]:
    """Means over the groups of precision, recall and base; none outside generated worlds."""
    if inputs.missing_files([_PLANTED_CAUSES]):
        return []
    groups = inputs.frame(_PLANTED_CAUSES).groupby(["features", "grouping", "depth"], sort=False)
    return records(groups[["precision", "recall", "base"]].mean().reset_index())
