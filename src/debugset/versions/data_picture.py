"""The difference of two data versions as one picture: counts by class above, images below."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from debugset.report.drawing import INK, drawing, png
from debugset.versions.data_diff import CHANGES, REMOVED
from debugset.versions.revisions import SetVersion

_COLOURS = {"added": "#009e73", "removed": "#d55e00", "relabelled_to": "#0072b2", "replaced": "#6b7280"}
_PER_ROW = 14
_LONGEST = 40  # classes that a chart shows


def draw(path: Path, table: pd.DataFrame, changed: pd.DataFrame, old: SetVersion, new: SetVersion) -> int:
    """Write the picture as a PNG file, and return how many images it should show but whose files are out of reach.

    Args:
        table: counts by class, as `debugset.versions.data_diff.by_class` returns it.
        changed: the changed images, as `debugset.versions.data_diff.changed_images` returns it.
        old, new: the versions; removed images are read from the old one, all others from the new one.
    """
    shown = [change for change in CHANGES if (changed["change"] == change).any()]
    busiest = table.loc[table[list(_COLOURS)].sum(axis=1).sort_values(ascending=False, kind="stable").index[:_LONGEST]]
    rows = busiest.sort_index()
    heights = [0.5 + 0.24 * max(len(rows), 3), *([1.3] * len(shown))]
    with drawing(len(heights), 1, (10.5, sum(heights) + 0.5), height_ratios=heights) as (figure, panels):
        figure.suptitle(f"{new.folder}: {old.name} to {new.name}", fontsize=11, fontweight="bold", x=0.01, ha="left")
        _bars(panels[0], rows, f"{len(rows)} of {len(table)} classes" if len(rows) < len(table) else "")
        lost = 0
        for panel, change in zip(panels[1:], shown, strict=True):
            images = changed[changed["change"] == change]
            lost += _images(panel, change, spread(images), old if change == REMOVED else new, len(images))
        png(figure, path)
    return lost


def spread(images: pd.DataFrame, count: int = _PER_ROW) -> pd.DataFrame:
    """At most ``count`` images, the first of every class, then the second, and so on."""
    classes = images["new_class"].where(images["new_class"] != "", images["old_class"])
    turn = images.groupby(classes).cumcount()
    return images.loc[turn.sort_values(kind="stable").index[:count]]


def _bars(panel: Axes, rows: pd.DataFrame, title: str) -> None:
    places = np.arange(len(rows))
    right, left = np.zeros(len(rows)), np.zeros(len(rows))
    for column, tint in _COLOURS.items():
        values = rows[column].to_numpy(float)
        if not values.any():
            continue
        base = left if column == REMOVED else right
        signed = -values if column == REMOVED else values
        panel.barh(places, signed, left=base, color=tint, height=0.7, label=column.replace("_", " "))
        base += signed
    for place, (before, after) in enumerate(zip(rows["old"], rows["new"], strict=True)):
        counts = f"{before:,} → {after:,}"
        panel.annotate(counts, (right[place], place), (5, 0), textcoords="offset points", va="center", fontsize=8)
    panel.axvline(0, color=INK, lw=1)
    panel.set_yticks(places, list(rows["class"]))
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.margins(x=0.15)
    panel.grid(axis="y", visible=False)
    panel.set_xlabel("images; beside the bars: images of the class before and after")
    panel.set_title(title)
    if panel.get_legend_handles_labels()[0]:
        panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _images(panel: Axes, change: str, images: pd.DataFrame, version: SetVersion, total: int) -> int:
    """Draw images beside one another; how many of them could not be read."""
    lost = 0
    panel.set(xlim=(0, _PER_ROW), ylim=(1.35, -0.05), aspect="equal")
    panel.axis("off")
    panel.set_title(f"{change}: {len(images):,} of {total:,} images")
    for place, row in enumerate(images.to_dict("records")):
        if (image := version.image(row["id"])) is None:
            lost += 1
            continue
        panel.imshow(np.asarray(image), extent=(place, place + 0.94, 0.94, 0), interpolation="nearest")
        before, after = row["old_class"], row["new_class"]
        caption = f"{before}→{after}" if before and after and before != after else before or after
        panel.text(place + 0.47, 1.12, caption, fontsize=6.5, ha="center")
    return lost
