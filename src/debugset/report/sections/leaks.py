"""The leak filter: its border as pictures, and how well it finds planted copies."""

from typing import Any

import numpy as np
import pandas as pd

from debugset.base.paths import DEDUP, POOL, SETS
from debugset.report import figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import Inputs
from debugset.report.pictures import tile

SHORT = "Leak filter"
TITLE = "Which photos were too close to a test image"
NEEDS = (POOL / "manifest.parquet", DEDUP / "keep.parquet", DEDUP / "border.parquet")
KINDS = ("exact", "reencoded", "shifted", "brightness")
RULES = ("used", "minimum")


def context(inputs: Inputs) -> dict[str, Any]:
    """Pairs by distance over threshold, the distribution of that ratio, scores and thresholds."""
    pairs, shown = measured_pairs(inputs), inputs.params.border_pairs
    border = inputs.frame(DEDUP / "border.parquet")
    border = border.assign(ratio=border["distance"] / border["threshold"])
    leaks = pairs[~pairs["keep"] & (pairs["distance"] > 0)].sort_values("ratio", kind="stable")
    strips = {
        "The clearest leaks": ("Removed: far below the threshold.", leaks.head(shown)),
        "Just removed": ("Removed: at most as far as the threshold.", border[~border["keep"]].head(shown)),
        "Just kept": ("Kept: barely farther than the threshold.", border[border["keep"]].head(shown)),
    }
    scores = inputs.json(DEDUP / "scores.json") or {}
    return {
        "strips": {
            title: (text, [_pair(inputs, row) for row in rows.to_dict("records")])
            for title, (text, rows) in strips.items()
        },
        "plot": _plot(inputs, pairs),
        "quantile": scores.get("quantile", 0.0),
        "scores": {name: scores[name] for name in RULES if name in scores},
        "kinds": KINDS,
        "removed": int((inputs.keep["reason"] == "leak").sum()),
        "total": len(inputs.keep),
    }


def measured_pairs(inputs: Inputs) -> pd.DataFrame:
    """The pool images with a measured distance to a test image, with ``ratio``, distance over threshold."""
    keep = inputs.keep
    measured = keep[(keep["reason"] != "duplicate") & (keep["threshold"] > 0)]
    return measured.assign(ratio=measured["distance"] / measured["threshold"])


def _pair(inputs: Inputs, pair: dict[Any, Any]) -> dict[str, Any]:
    found = int(inputs.pool.rows_of([pair["image_id"]])[0])
    test = inputs.images(SETS / pair["nearest_set"])
    near = int(test.rows_of([pair["nearest_id"]])[0])
    weak, label = inputs.class_name(int(inputs.pool.labels[found])), inputs.class_name(int(test.labels[near]))
    manifest = inputs.pool.manifest
    return {
        "pool": tile(inputs, inputs.pool, found, f"pool image, weak label {weak}", caption="pool"),
        "test": tile(inputs, test, near, f"image of {test.folder.name}, class {label}", caption=test.folder.name),
        "ratio": float(pair["ratio"]),
        "labels": f"{weak} / {label}",
        "planted": manifest["planted"].iloc[found] if "planted" in manifest else "",
    }


def _plot(inputs: Inputs, pairs: pd.DataFrame) -> Any:
    manifest = inputs.pool.manifest.set_index("id")
    planted = pairs["image_id"].map(manifest["planted"]) if "planted" in manifest else pd.Series("", pairs.index)
    groups = {f"planted: {kind}": (planted == kind).to_numpy() for kind in KINDS}
    groups["all other photos"] = ~planted.isin(KINDS).to_numpy()
    ratios = {name: pairs["ratio"].to_numpy(np.float64)[which] for name, which in groups.items() if which.any()}
    if not ratios:
        return None
    with drawing(1, 1, (9.6, 0.9 + 0.42 * len(ratios))) as (figure, axes):
        figures.leak_ratios(axes[0], ratios, inputs.generator())
        return svg(figure, "leaks", "Distance to the nearest test image over the threshold, by kind of planted copy.")
