"""Accuracy of every variant on every set, and its paired differences to the baselines."""

from typing import Any

from markupsafe import Markup

from debugset.dcd.variants import NOTHING_ADDED
from debugset.report import figures
from debugset.report.drawing import drawing, svg
from debugset.report.headings import COLUMNS
from debugset.report.inputs import ACCURACY_FILES, Inputs

SHORT = "Accuracy"
TITLE = "What it gained"
NEEDS = ACCURACY_FILES


def context(inputs: Inputs) -> dict[str, Any]:
    """The accuracy plot, the table and the differences."""
    with figures.accuracy_figure(inputs.accuracy, inputs.chosen) as figure:
        plot = svg(figure, "accuracy", f"Accuracy with 95 % intervals of {len(inputs.variants)} training sets.")
    return {
        "plot": plot,
        "columns": COLUMNS,
        "nothing_added": NOTHING_ADDED,
        "runs": int(inputs.accuracy["runs"].max()),
        "differences_plot": _differences_plot(inputs),
    }


def _differences_plot(inputs: Inputs) -> Markup | None:
    if not inputs.baselines:
        return None
    table = inputs.differences[inputs.differences["variant"] != "original"]
    with drawing(1, len(inputs.baselines), (9.6, 3.0), sharey=True) as (figure, axes):
        figures.differences(axes, table, inputs.baselines, inputs.chosen)
        return svg(figure, "differences", "Paired differences of accuracy to each baseline, with intervals.")
