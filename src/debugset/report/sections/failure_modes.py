"""Failure modes in words and pictures, and how well rules explain failures (Barlow, figures 6 to 8 and 16 to 20)."""

from typing import Any

import pandas as pd

from debugset.report import mode_figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import Inputs
from debugset.report.mode_card import held_out
from debugset.report.modes import MODES, Lane, Mode, modes
from debugset.report.pictures import Tile, data_uri

SHORT = "Failure modes"
TITLE = "Where the original model fails, in rules and pictures"
NEEDS = (*MODES, "data/errors/failures.parquet")
PLANTED = "data/barlow/planted.parquet"


def context(inputs: Inputs) -> dict[str, Any]:
    """The modes with their pictures, the groups left out, and the automatic evaluation."""
    groups = inputs.frame("data/barlow/groups.parquet")
    table = inputs.frame("data/barlow/modes.parquet")
    return {
        "modes": [_shown(mode) for mode in modes(inputs, inputs.params.modes_shown)],
        "found": len(table),
        "hold": int(table["holds"].sum()),
        "left_out": _left_out(inputs, groups),
        "gains_plot": _plot(groups),
        "gains": gains(groups),
        "planted": planted(inputs),
        "mended": mended(inputs),
    }


def gains(groups: pd.DataFrame) -> list[dict[str, Any]]:
    """Means over the groups of every analysed model, features, grouping and depth; valid is a share."""
    keys = ["analysed", "features", "grouping", "depth"]
    measured = groups[groups["reason"] == ""].astype({"valid": float})
    columns = ["gain", "heldout_gain", "chance_gain", "chance_gain_95", "valid"]
    means = measured.groupby(keys, sort=False)[columns].mean().reset_index()
    counts = measured.groupby(keys, sort=False).size().to_numpy()
    return [{str(key): value for key, value in row.items()} for row in means.assign(groups=counts).to_dict("records")]


def planted(inputs: Inputs) -> list[dict[str, Any]]:
    """Means over the groups of precision, recall and base; none outside generated worlds."""
    if inputs.missing((PLANTED,)):
        return []
    means = inputs.frame(PLANTED).groupby(["features", "grouping", "depth"], sort=False)
    table = means[["precision", "recall", "base"]].mean().reset_index()
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def mended(inputs: Inputs) -> int:
    """How many failures of modes images were collected for."""
    return int((inputs.failures["role"] == "mode").sum())


def _shown(mode: Mode) -> dict[str, Any]:
    holds, verdict = held_out(mode.row)
    lanes = [(lane.title, _tiles(lane)) for lane in mode.lanes]
    return {"row": mode.row, "title": mode.title, "lanes": lanes, "holds": holds, "verdict": verdict}


def _tiles(lane: Lane) -> list[Tile]:
    pairs = zip(lane.images, lane.captions, strict=True)
    return [Tile(*data_uri(image), alt=lane.title, caption=caption) for image, caption in pairs]


def _left_out(inputs: Inputs, groups: pd.DataFrame) -> list[dict[str, Any]]:
    """The groups of the original model that were not explained, each once."""
    rows = groups[(groups["analysed"] == "original") & (groups["reason"] != "")]
    rows = rows.drop_duplicates(["grouping", "class"])
    return [
        {"grouping": row["grouping"], "name": inputs.class_name(row["class"]), "reason": row["reason"]}
        for row in rows.to_dict("records")
    ]


def _plot(groups: pd.DataFrame) -> Any:
    measured = groups[groups["reason"] == ""]
    if measured.empty:
        return None
    with drawing(1, 2, (9.6, 3.6), sharey=True) as (figure, axes):
        mode_figures.gains(axes, measured)
        return svg(figure, "gains", "ALER minus BER of every class by grouping, depth and analysed model.")
