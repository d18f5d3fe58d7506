"""The leak filter: its border as pictures, and how well it finds planted copies."""

from typing import Any

import pandas as pd
from markupsafe import Markup

from debugset.base.paths import DEDUP, SETS
from debugset.report import figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import KEEP, POOL_MANIFEST, Inputs, records
from debugset.report.pictures import tile
from debugset.report.pool_photos import pool_tile

SHORT = "Leak filter"
TITLE = "Which photos were too close to a test image"
_BORDER = DEDUP / "border.parquet"
NEEDS = (POOL_MANIFEST, KEEP, _BORDER)
KINDS = ("exact", "reencoded", "shifted", "brightness")


def context(inputs: Inputs) -> dict[str, Any]:
    """Pairs by distance over threshold, the distribution of that ratio, scores and thresholds."""
    keep = inputs.keep
    # A photo and its nearest test image; of two photos with the same bytes one was never compared.
    pairs = keep[(keep["reason"] != "duplicate") & (keep["threshold"] > 0)]
    pairs = pairs.assign(ratio=pairs["distance"] / pairs["threshold"])
    return {
        "strips": _strips(inputs, pairs),
        "plot": _plot(inputs, pairs),
        "scores": inputs.json(DEDUP / "scores.json"),
        "kinds": KINDS,
        "removed": int((keep["reason"] == "leak").sum()),
        "total": len(keep),
    }


def _strips(inputs: Inputs, pairs: pd.DataFrame) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Title, explanation and pairs of each strip of pictures."""
    leaks = pairs[~pairs["keep"] & (pairs["distance"] > 0)].sort_values("ratio", kind="stable")
    border = inputs.frame(_BORDER)
    border = border.assign(ratio=border["distance"] / border["threshold"])
    strips = []
    for title, text, table in (
        ("The clearest leaks", "Removed: far below the threshold.", leaks),
        ("Just removed", "Removed: at most as far as the threshold.", border[~border["keep"]]),
        ("Just kept", "Kept: barely farther than the threshold.", border[border["keep"]]),
    ):
        shown = records(table.head(inputs.params.border_pairs))
        strips.append((title, text, [_pair(inputs, pair) for pair in shown]))
    return strips


def _pair(inputs: Inputs, pair: dict[str, Any]) -> dict[str, Any]:
    pool, test = inputs.pool, inputs.images(SETS / pair["nearest_set"])
    photo, near = int(pool.rows_of([pair["image_id"]])[0]), int(test.rows_of([pair["nearest_id"]])[0])
    weak, label = inputs.class_name(int(pool.labels[photo])), inputs.class_name(int(test.labels[near]))
    name = test.folder.name
    return {
        "pool": pool_tile(inputs, photo, f"pool image, weak label {weak}", caption="pool"),
        "test": tile(test.image(near), f"image of {name}, class {label}", caption=name),
        "ratio": pair["ratio"],
        "labels": f"{weak} / {label}",
        "planted": pool.manifest["planted"].iloc[photo] if "planted" in pool.manifest else "",
    }


def _plot(inputs: Inputs, pairs: pd.DataFrame) -> Markup | None:
    """The ratios of planted copies by kind, and of all other photos; None if nothing was compared."""
    if pairs.empty:
        return None
    planted = pd.Series("", pairs.index)
    if "planted" in inputs.pool.manifest:
        planted = pairs["image_id"].map(inputs.pool.manifest.set_index("id")["planted"])
    planted = planted.where(planted.isin(KINDS), "")
    ratios = {}
    for kind in (*KINDS, ""):
        of_kind = pairs["ratio"][planted == kind].to_numpy()
        if len(of_kind):
            ratios[f"planted: {kind}" if kind else "all other photos"] = of_kind
    with drawing(1, 1, (9.6, 0.9 + 0.42 * len(ratios))) as (figure, axes):
        figures.leak_ratios(axes[0], ratios, inputs.generator())
        return svg(figure, "leaks", "Distance to the nearest test image over the threshold, by kind of planted copy.")
