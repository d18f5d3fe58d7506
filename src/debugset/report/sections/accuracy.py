"""Accuracy of every variant on every set, and its paired differences to the baselines."""

from typing import Any

from debugset.report import figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import SCORED, Inputs
from debugset.report.text_table import COLUMNS, GAINED, KEPT

SHORT = "Accuracy"
TITLE = "What it gained"
NEEDS = SCORED


def context(inputs: Inputs) -> dict[str, Any]:
    """The accuracy plot, the table and the differences."""
    table, chosen = inputs.accuracy, inputs.chosen
    panels = {**GAINED, **KEPT}
    with drawing(2, 3, (9.6, 5.4), sharey=True) as (figure, axes):
        figures.accuracy(axes, table, panels, chosen)
        plot = svg(figure, "accuracy", f"Accuracy with 95 % intervals of {len(inputs.variants)} training sets.")
    return {
        "plot": plot,
        "columns": COLUMNS,
        "rows": [_row(inputs, variant) for variant in inputs.variants],
        "chosen": chosen,
        "runs": int(table["runs"].max()),
        "differences_plot": _differences_plot(inputs),
        "baselines": {baseline: _against(inputs, baseline) for baseline in inputs.baselines},
    }


def _row(inputs: Inputs, variant: str) -> dict[str, Any]:
    return {
        "variant": variant,
        "cells": [inputs.score(variant, column) for column in COLUMNS],
        "added": inputs.added.get(variant, {"images": 0, "weak_label_precision": None}),
    }


def _against(inputs: Inputs, baseline: str) -> dict[str, list[Any]]:
    """For every other variant, its difference to a baseline in each column."""
    return {
        variant: [inputs.change(variant, baseline, column) for column in COLUMNS]
        for variant in inputs.variants
        if variant not in (baseline, "original")
    }


def _differences_plot(inputs: Inputs) -> Any:
    shown = {"heldout": "held-out failures", "test": "test, debug classes"}
    if not inputs.baselines:
        return None
    table = inputs.differences[inputs.differences["variant"] != "original"]
    with drawing(1, len(inputs.baselines), (9.6, 3.0), sharey=True) as (figure, axes):
        figures.differences(axes, table, inputs.baselines, shown, inputs.chosen)
        return svg(figure, "differences", "Paired differences of accuracy to each baseline, with intervals.")
