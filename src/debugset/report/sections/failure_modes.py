"""Failure modes in words and pictures, and how well rules explain failures (Barlow, figures 6 to 8 and 16 to 20)."""

from typing import Any

import pandas as pd

from debugset.base.paths import BARLOW, ERRORS
from debugset.dcd.failures import MODE
from debugset.report import mode_figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import Inputs
from debugset.report.mode_card import held_out
from debugset.report.modes import MODES, Lane, Mode, modes
from debugset.report.numbers import planted_scores, rule_gains
from debugset.report.pictures import Tile, data_uri

SHORT = "Failure modes"
TITLE = "Where the original model fails, in rules and pictures"
NEEDS = (*MODES, ERRORS / "failures.parquet")


def context(inputs: Inputs) -> dict[str, Any]:
    """The modes with their pictures, the groups left out, and the automatic evaluation."""
    groups = inputs.frame(BARLOW / "groups.parquet")
    table = inputs.frame(BARLOW / "modes.parquet")
    return {
        "modes": [_shown(mode) for mode in modes(inputs, inputs.params.modes_shown)],
        "found": len(table),
        "hold": int(table["holds"].sum()),
        "left_out": _left_out(inputs, groups),
        "gains_plot": _plot(groups),
        "gains": rule_gains(groups),
        "planted": planted_scores(inputs),
        "mended": int((inputs.failures["role"] == MODE).sum()),
    }


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
