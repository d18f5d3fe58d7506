"""A sweep as a picture: an accuracy against the swept parameter, a line a variant, with intervals."""

from pathlib import Path

import numpy as np
import pandas as pd

from debugset.report.drawing import drawing, png, variant_colour
from debugset.versions.sweep import is_number

OFFSET = 0.012  # between variants, as a share of the axis, so that their intervals stay apart


def draw(path: Path, rows: pd.DataFrame, param: str, metric: str) -> None:
    """Write the picture.

    Args:
        path: the PNG file.
        rows: as `debugset.versions.sweep.table` returns it.
        param: the axis's label.
        metric: what the accuracies are of.
    """
    values = list(dict.fromkeys(map(str, rows["value"])))
    numbers = all(map(is_number, rows["value"])) and len(values) > 1
    places = rows["value"].astype(float) if numbers else rows["value"].map(lambda value: values.index(str(value)))
    width = float(places.max() - places.min()) or 1.0
    variants = list(dict.fromkeys(rows["variant"]))
    with drawing(1, 1, (7.5, 4.4)) as (figure, [panel]):
        for place, variant in enumerate(variants):
            mine = rows["variant"] == variant
            x = places[mine] + (place - (len(variants) - 1) / 2) * OFFSET * width
            y, low, high = (rows.loc[mine, name].to_numpy() for name in ("accuracy", "low", "high"))
            panel.errorbar(
                x, y, yerr=np.array([y - low, high - y]), color=variant_colour(variant), marker="o", ms=5, lw=1.6,
                elinewidth=1.2, capsize=2, label=variant,
            )  # fmt: skip
        ticks = sorted(set(places))
        panel.set_xticks(ticks, values)
        panel.set(xlabel=param, ylabel=f"{metric}, accuracy in %")
        panel.set_title(f"{metric} against {param}; bars: 95 %")
        panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        png(figure, path)
