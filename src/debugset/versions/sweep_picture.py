"""A sweep as a picture: an accuracy against the swept parameter, a line a variant, with intervals."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from debugset.report.drawing import drawing, png, variant_colour
from debugset.versions.sweep import is_number

_OFFSET = 0.012  # between variants, as a share of the axis, so that their intervals stay apart
_STYLE: Any = {"marker": "o", "ms": 5, "lw": 1.6, "elinewidth": 1.2, "capsize": 2}


def draw(path: Path, rows: pd.DataFrame, param: str, metric: str) -> None:
    """Write the picture of `debugset.versions.sweep.accuracies` as a PNG file; ``metric`` is what they are of."""
    values = rows["value"].map(str).unique().tolist()
    numbers = all(map(is_number, rows["value"])) and len(values) > 1
    rows = rows.assign(x=rows["value"].astype(float) if numbers else rows["value"].map(str).map(values.index))
    ticks = sorted(set(rows["x"]))
    width = float(ticks[-1] - ticks[0]) or 1.0
    variants = rows["variant"].unique().tolist()
    with drawing(1, 1, (7.5, 4.4)) as (figure, [panel]):
        for place, variant in enumerate(variants):
            line = rows[rows["variant"] == variant]
            x = line["x"] + (place - (len(variants) - 1) / 2) * _OFFSET * width
            y = line["accuracy"]
            bars = np.array([y - line["low"], line["high"] - y])
            panel.errorbar(x, y, yerr=bars, color=variant_colour(variant), label=variant, **_STYLE)
        panel.set_xticks(ticks, values)
        panel.set(xlabel=param, ylabel=f"{metric}, accuracy in %")
        panel.set_title(f"{metric} against {param}; bars: 95 %")
        panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        png(figure, path)
