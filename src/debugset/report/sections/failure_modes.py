"""Failure modes in words and pictures, and how well rules explain failures (Barlow, figures 6 to 8 and 16 to 20)."""

from typing import Any

import pandas as pd
from markupsafe import Markup

from debugset.dcd.failures import MODE
from debugset.report import mode_figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import FAILURES, Inputs, records
from debugset.report.modes import GROUPS, MODE_FILES, MODES, read_modes
from debugset.report.numbers import planted_scores, rule_gains

SHORT = "Failure modes"
TITLE = "Where the original model fails, in rules and pictures"
NEEDS = (*MODE_FILES, FAILURES)


def context(inputs: Inputs) -> dict[str, Any]:
    """The modes with their pictures, the groups left out, and the automatic evaluation."""
    groups, modes = inputs.frame(GROUPS), inputs.frame(MODES)
    unexplained = groups[(groups["analysed"] == "original") & (groups["reason"] != "")]
    return {
        "modes": list(read_modes(inputs, inputs.params.modes_shown)),
        "found": len(modes),
        "hold": int(modes["holds"].sum()),
        "left_out": records(unexplained.drop_duplicates(["grouping", "class"])),
        "gains_plot": _gains_plot(groups[groups["reason"] == ""]),
        "gains": rule_gains(groups),
        "planted": planted_scores(inputs),
        "mended": int((inputs.failures["role"] == MODE).sum()),
    }


def _gains_plot(groups: pd.DataFrame) -> Markup | None:
    if groups.empty:
        return None
    with drawing(1, 2, (9.6, 3.6), sharey=True) as (figure, axes):
        mode_figures.gains(axes, groups)
        return svg(figure, "gains", "ALER minus BER of every class by grouping, depth and analysed model.")
