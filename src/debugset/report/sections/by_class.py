"""Held-out accuracy of every debug class against the images that were added to it (figure 10)."""

from typing import Any

from debugset.report import figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import ACCURACY_FILES, Inputs
from debugset.report.numbers import variants_adding_alike

SHORT = "Class by class"
TITLE = "Class by class"
NEEDS = ACCURACY_FILES


def context(inputs: Inputs) -> dict[str, Any]:
    """Two plots and the table behind them."""
    table = inputs.by_class
    if table.empty:
        return {"plot": None}
    with drawing(1, 2, (9.6, 4.3)) as (figure, axes):
        if "random" in inputs.variants:
            figures.against_random(axes[0], table, inputs.chosen, inputs.classes)
        figures.against_added(axes[1], variants_adding_alike(table), inputs.lines)
        plot = svg(figure, "classes", "Held-out accuracy of each class, against random picks and against added images.")
    accuracy = table.pivot(index="class", columns="variant", values="accuracy")
    failures = inputs.failures[inputs.failures["role"] == "heldout"]
    return {
        "plot": plot,
        "variants": [name for name in inputs.variants if name in accuracy],
        "heldout": failures["class"].value_counts().to_dict(),
        "added": table[table["variant"] == inputs.chosen].set_index("class")["added"].to_dict(),
        "accuracy": accuracy.to_dict("index"),
    }
