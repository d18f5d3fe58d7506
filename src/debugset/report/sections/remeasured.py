"""The failure modes before and after: every variant on the same held-out images."""

from typing import Any

from debugset.base.paths import REMEASURED
from debugset.dcd.failures import MODE
from debugset.report import mode_figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import ACCURACY_FILES, Inputs
from debugset.report.modes import MODES

SHORT = "Modes, mended"
TITLE = "The failure modes, before and after"
NEEDS = (REMEASURED, MODES, *ACCURACY_FILES)


def context(inputs: Inputs) -> dict[str, Any]:
    """The slope chart and the table behind it."""
    table, chosen = inputs.frame(REMEASURED), inputs.chosen
    if table.empty:
        return {"plot": None, "found": len(inputs.frame(MODES))}
    names = table["mode"].unique().tolist()
    drawn = names[: inputs.params.modes_shown]  # the most important come first, all together last
    with drawing(1, 2, (9.6, 1.6 + 0.24 * len(drawn)), width_ratios=(1.25, 1)) as (figure, axes):
        mode_figures.slopes(axes[0], table[table["mode"].isin(drawn)], chosen)
        mode_figures.together(axes[1], table[table["mode"] == "all"], inputs.variants, chosen)
        plot = svg(figure, "slopes", f"Error rate of each failure mode before and after training as {chosen}.")
    return {
        "plot": plot,
        "mended": int((inputs.failures["role"] == MODE).sum()),
        "modes": names,
        "rates": table.set_index(["mode", "variant"]).to_dict("index"),
    }
