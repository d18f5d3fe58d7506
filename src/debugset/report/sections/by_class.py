"""Held-out accuracy of every debug class against the images that were added to it (figure 10)."""

from typing import Any

from debugset.report import figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import SCORED, Inputs
from debugset.report.numbers import variants_adding_alike

SHORT = "Class by class"
TITLE = "Class by class"
NEEDS = SCORED


def context(inputs: Inputs) -> dict[str, Any]:
    """Two plots and the table behind them."""
    table, chosen = inputs.by_class, inputs.chosen
    if table.empty:
        return {"plot": None}
    with drawing(1, 2, (9.6, 4.3)) as (figure, axes):
        if "random" in inputs.variants:
            figures.against_random(axes[0], table, chosen, inputs.classes)
        figures.against_added(axes[1], variants_adding_alike(table), inputs.lines)
        plot = svg(
            figure,
            "classes",
            "Held-out accuracy of each class, against random picks and against added images.",
        )
    accuracy = table.pivot(index="class", columns="variant", values="accuracy")
    added = table[table["variant"] == chosen].set_index("class")["added"]
    heldout = inputs.failures[inputs.failures["role"] == "heldout"]["class"].value_counts()
    return {
        "plot": plot,
        "chosen": chosen,
        "variants": [name for name in inputs.variants if name in accuracy],
        "rows": [
            {
                "name": inputs.class_name(row["class"]),
                "heldout": int(heldout.get(row["class"], 0)),
                "added": added.get(row["class"]),
                "accuracy": row,
            }
            for row in accuracy.reset_index().to_dict("records")
        ],
    }
