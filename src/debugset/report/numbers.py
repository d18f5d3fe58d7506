"""Numbers that the page, the metrics and the plots share."""

from typing import Any

import pandas as pd

from debugset.base.paths import BARLOW
from debugset.report.inputs import Inputs

KEPT = {"class": "class", "context": "context", "both": "class and context"}  # what neighbours may keep of an image
PLANTED = BARLOW / "planted.parquet"


def weak_label_precision(inputs: Inputs) -> float | None:
    """The share of pool images whose weak label is their true class, or None where the truth is not known."""
    manifest = inputs.pool.manifest
    if "true_label" not in manifest or manifest.empty:
        return None
    return float((manifest["true_label"] == manifest["label"]).mean())


def variants_adding_alike(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the variants that add about as many images to a class, as in figure 10 c."""
    return table[table["variant"].str.startswith("dcd-") | (table["variant"] == "random")]


def rule_gains(groups: pd.DataFrame) -> list[dict[str, Any]]:
    """Means over the groups of every analysed model, features, grouping and depth; valid is a share."""
    keys = ["analysed", "features", "grouping", "depth"]
    measured = groups[groups["reason"] == ""].astype({"valid": float})
    columns = ["gain", "heldout_gain", "chance_gain", "chance_gain_95", "valid"]
    means = measured.groupby(keys, sort=False)[columns].mean().reset_index()
    counts = measured.groupby(keys, sort=False).size().to_numpy()
    return [{str(key): value for key, value in row.items()} for row in means.assign(groups=counts).to_dict("records")]


def planted_scores(inputs: Inputs) -> list[dict[str, Any]]:
    """Means over the groups of precision, recall and base; none outside generated worlds."""
    if inputs.missing((PLANTED,)):
        return []
    means = inputs.frame(PLANTED).groupby(["features", "grouping", "depth"], sort=False)
    table = means[["precision", "recall", "base"]].mean().reset_index()
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
