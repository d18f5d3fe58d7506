"""The report's figures, each a function from numbers to axes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from debugset.report.drawing import FAINT, INK, drawing, embedder_colour, variant_colour
from debugset.report.headings import GAINED, KEPT
from debugset.report.inputs import records
from debugset.report.marks import interval, name_rows, word

_FILLED: dict[str, Any] = {"mew": 1.6}
_HOLLOW: dict[str, Any] = {"mew": 1.6, "mfc": "white"}
_EMBEDDER_LINE: dict[str, Any] = {"marker": "o", "ms": 4, "lw": 2}
_CHANCE_LINE: dict[str, Any] = {"ls": (0, (3, 2)), "lw": 1.4}
_DIFFERENCES = {"heldout": "held-out failures", "test": "test, debug classes"}  # columns, and how the legend calls them
LEAK, NO_LEAK = "#d55e00", "#0072b2"
_MOST_DOTS = 500  # a row; more would be one blot


@contextmanager
def accuracy_figure(table: pd.DataFrame, chosen: str) -> Iterator[Figure]:
    """Accuracy of every variant with its interval, one panel a column: above what was gained, below what was kept.

    Args:
        table: variant, column, accuracy, low, high; in percent, variants in order.
        chosen: the variant printed in bold.
    """
    with drawing(2, 3, (9.6, 5.4), sharey=True) as (figure, axes):
        for panel, (column, title) in zip(axes, {**GAINED, **KEPT}.items(), strict=True):
            panel.set_title(title)
            _accuracy_panel(panel, table, column, chosen)
        yield figure


def _accuracy_panel(panel: Axes, table: pd.DataFrame, column: str, chosen: str) -> None:
    variants = table["variant"].unique().tolist()
    for row in records(table[(table["column"] == column) & table["accuracy"].notna()]):
        variant, value, place = row["variant"], row["accuracy"], float(variants.index(row["variant"]))
        tint = variant_colour(variant)
        if variant == "original":
            panel.axvline(value, color=tint, lw=1, ls=(0, (3, 2)))
        interval(panel, place, value, row["low"], row["high"], tint, **_FILLED)
        weight = "bold" if variant == chosen else "normal"
        word(panel, f"{value:.1f}", (row["high"], place), (5, 0), va="center", fontweight=weight)
    panel.margins(x=0.18)  # room for the numbers
    if panel.get_xlim()[0] < 0:
        panel.set_xlim(left=-1)  # a dot at 0 is not cut
    name_rows(panel, variants, chosen)


def differences(axes: Sequence[Axes], table: pd.DataFrame, baselines: Sequence[str], chosen: str) -> None:
    """Paired differences of every variant to each baseline, one panel a baseline; the chosen variant in bold.

    Args:
        axes: one for each baseline.
        table: variant, baseline, column, difference, low, high; in percentage points, variants in order.
    """
    variants = table["variant"].unique().tolist()
    for panel, baseline in zip(axes, baselines, strict=True):
        panel.axvline(0, color=INK, lw=1)
        for (column, name), shift, dot in zip(_DIFFERENCES.items(), (-0.17, 0.17), (_FILLED, _HOLLOW), strict=True):
            for row in records(table[(table["column"] == column) & (table["baseline"] == baseline)]):
                place, tint = variants.index(row["variant"]) + shift, variant_colour(row["variant"])
                interval(panel, place, row["difference"], row["low"], row["high"], tint, **dot)
            panel.plot([], [], "o", color=INK, ms=5, mfc=dot.get("mfc", INK), label=name)
        panel.set(title=f"minus {baseline}", xlabel="percentage points")
        name_rows(panel, variants, chosen)
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=len(_DIFFERENCES))


def against_random(panel: Axes, table: pd.DataFrame, chosen: str, names: Sequence[str]) -> None:
    """Held-out accuracy of each class, the chosen variant against ``random`` (figure 10 b).

    Args:
        table: variant, class, accuracy in percent, added.
        names: the class names that ``class`` indexes.
    """
    wide = table.pivot(index="class", columns="variant", values="accuracy")
    added = table[table["variant"] == chosen].set_index("class")["added"].reindex(wide.index)
    areas = 30 + 170 * added / max(float(added.max()), 1.0)
    panel.plot([0, 100], [0, 100], color=FAINT, lw=1, ls=(0, (4, 3)))
    panel.scatter(wide["random"], wide[chosen], s=areas, color=variant_colour(chosen), alpha=0.6, lw=0)
    for row in records(wide.reset_index()):
        word(panel, names[row["class"]], (row["random"], row[chosen]), (8, -3))
    top = min(100.0, float(np.nanmax(wide[["random", chosen]].to_numpy(float))) * 1.12 + 4)
    panel.set(xlim=(-2, top), ylim=(-2, top), title="Each class: chosen picks against random ones")
    panel.set(xlabel="random: held-out accuracy of the class, %", ylabel=f"{chosen}: the same, %")


def against_added(panel: Axes, table: pd.DataFrame, lines: pd.DataFrame) -> None:
    """Accuracy of each class against its added images, with regression lines (figure 10 c).

    Args:
        table: variant, class, accuracy in percent, added.
        lines: variant, slope, intercept; not a number where a line is not defined.
    """
    for variant, rows in table.groupby("variant", sort=False):
        tint = variant_colour(str(variant))
        panel.plot(rows["added"], rows["accuracy"], "o", color=tint, ms=5, alpha=0.75, mew=0, label=variant)
        line = lines[lines["variant"] == variant].iloc[0]
        ends = np.array([rows["added"].min(), rows["added"].max()], float)
        panel.plot(ends, line["slope"] * ends + line["intercept"], color=tint, lw=2)
    panel.set(xlabel="images added to the class", ylabel="held-out accuracy of the class, %")
    panel.set_title("Each class: accuracy against added images")
    panel.legend(loc="best", fontsize=8)


def retention(axes: Sequence[Axes], table: pd.DataFrame, kinds: Mapping[str, str]) -> None:
    """Shares of the k nearest neighbours that keep class, context and both (figure 7).

    Args:
        table: embedder, k, class_retention, context_retention, both_retention; shares of one.
        kinds: which of class, context and both to draw, and how the title calls them.
    """
    for panel, (kind, name) in zip(axes, kinds.items(), strict=True):
        for embedder, rows in table.groupby("embedder", sort=False):
            rows = rows.sort_values("k")
            style = _CHANCE_LINE if embedder == "chance" else _EMBEDDER_LINE
            tint, shares = embedder_colour(str(embedder)), rows[f"{kind}_retention"]
            panel.plot(rows["k"], 100 * shares, color=tint, label=embedder, **style)
        panel.set(xlabel="k nearest neighbours", ylim=(0, 100), title=f"{name} kept, %")
    axes[-1].legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def leak_ratios(panel: Axes, ratios: Mapping[str, np.ndarray], generator: np.random.Generator) -> None:
    """Distance to the nearest test image over the threshold, a dot an image, a row a planted kind.

    Args:
        ratios: for each kind, distance / threshold of its images; below one is removed.
        generator: for the vertical jitter, and for the sample of a crowded row.
    """
    names = []
    for place, (kind, values) in enumerate(ratios.items()):
        names.append(f"{kind} ({len(values):,})")
        shown = values if len(values) <= _MOST_DOTS else generator.choice(values, _MOST_DOTS, replace=False)
        shown = np.maximum(shown, 1e-3)  # a copy's distance of 0 has no place on a logarithmic axis
        jitter = generator.uniform(-0.3, 0.3, len(shown))
        for which, tint in ((shown <= 1, LEAK), (shown > 1, NO_LEAK)):
            panel.plot(shown[which], place + jitter[which], "o", ms=2.6, alpha=0.5, mew=0, color=tint)
    panel.axvline(1, color=INK, lw=1.2)
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter("{x:g}")
    panel.xaxis.set_minor_formatter("")
    panel.grid(axis="y", visible=False)
    panel.set_yticks(range(len(ratios)), names)
    panel.set_ylim(len(ratios) - 0.5, -0.5)
    panel.set_xlabel("squared distance to the nearest test image ÷ threshold of the weak class; left of 1: removed")
