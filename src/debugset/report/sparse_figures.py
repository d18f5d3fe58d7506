"""Figures of sparse decision layers."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from debugset.report.drawing import FAINT, embedder_colour
from debugset.report.inputs import records
from debugset.report.marks import word
from debugset.report.sparse_tables import ACCURACIES

_LINES = {"test": "-", "diagnosis": (0, (4, 2))}


def curves(axes: Sequence[Axes], path: pd.DataFrame, layers: pd.DataFrame) -> None:
    """Accuracy against features a class, one panel a model; the chosen layer is marked, the model's own a line.

    Args:
        path: model, features, test, diagnosis; accuracies as shares.
        layers: the same with layer: sparse, dense and own.
    """
    for panel, (model, rows) in zip(axes, path.groupby("model", sort=False), strict=True):
        tint, mine = embedder_colour(str(model)), layers[layers["model"] == model]
        rows = rows[rows["features"] > 0]  # a logarithmic axis has no place for none
        for column, name in ACCURACIES.items():
            panel.plot(rows["features"], 100 * rows[column], ls=_LINES[column], color=tint, lw=1.8, label=name)
            for own in records(mine[mine["layer"] == "own"]):
                panel.axhline(100 * own[column], color=FAINT, lw=1, ls=_LINES[column])
            for chosen in records(mine[mine["layer"] == "sparse"]):
                point = (chosen["features"], 100 * chosen[column])
                panel.plot(*point, "o", ms=6.5, mfc="white", mec=tint, mew=1.8)
                word(panel, f"{point[1]:.1f}", point, (-2, -13), ha="center", color=tint)
        panel.set(xscale="log", title=str(model), xlabel="features a class")
        panel.xaxis.set_major_formatter("{x:g}")
    axes[0].set_ylabel("accuracy, %")
    axes[-1].legend(loc="lower right")


def removals(panel: Axes, table: pd.DataFrame) -> None:
    """Share of the errors that removing one, two and three features corrects, beside features drawn at random.

    Args:
        table: name (of the row), size, share, low, high, control; shares of one.
    """
    names = table["name"].drop_duplicates().tolist()
    for row in records(table):
        place = names.index(row["name"]) + 0.22 * (row["size"] - 2)
        tint = embedder_colour(row["model"])
        panel.plot([100 * row["low"], 100 * row["high"]], [place, place], color=tint, lw=2, alpha=0.5)
        panel.plot([100 * row["share"]], [place], "o", ms=5, color=tint)
        panel.plot([100 * row["control"]], [place], "x", ms=5, color=FAINT)
        word(panel, f"{row['size']}", (100 * row["share"], place), (5, 0), va="center", fontsize=6.5)
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(len(names) - 0.4, -0.6)
    panel.grid(axis="y", visible=False)
    panel.set(xlim=(0, 100), xlabel="errors corrected by removing 1, 2 and 3 features, %")
