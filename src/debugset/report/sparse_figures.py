"""Figures of sparse decision layers: what sparsity costs, and what removal corrects."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from debugset.report.drawing import FAINT, drawing, embedder_colour
from debugset.report.inputs import records
from debugset.report.marks import name_rows, word
from debugset.report.sparse_tables import ACCURACIES, SparseTables

_LINES: dict[str, Any] = {"test": "-", "diagnosis": (0, (4, 2))}


@contextmanager
def curves_figure(tables: SparseTables) -> Iterator[Figure]:
    """What sparsity costs each model, as one figure."""
    models = len(tables.models)
    with drawing(1, models, (3.2 * models, 3.2), sharey=True) as (figure, axes):
        curves(axes, tables.table("path"), tables.table("layers"))
        yield figure


def curves(axes: Sequence[Axes], path: pd.DataFrame, layers: pd.DataFrame) -> None:
    """Accuracy against features a class, a panel a model; a ring at the chosen layer, a faint line at the model's own.

    Args:
        path: model, features, test, diagnosis; accuracies as shares.
        layers: the same with layer: sparse, dense, and own where the model has one.
    """
    for panel, (model, rows) in zip(axes, path.groupby("model", sort=False), strict=True):
        tint, mine = embedder_colour(str(model)), layers[layers["model"] == model]
        rows = rows[rows["features"] > 0]  # a logarithmic axis has no place for none
        for column, name in ACCURACIES.items():
            panel.plot(rows["features"], 100 * rows[column], ls=_LINES[column], color=tint, lw=1.8, label=name)
            for own in records(mine[mine["layer"] == "own"]):
                panel.axhline(100 * own[column], color=FAINT, lw=1, ls=_LINES[column])
            for chosen in records(mine[(mine["layer"] == "sparse") & (mine["features"] > 0)]):
                point = (chosen["features"], 100 * chosen[column])
                panel.plot(*point, "o", ms=6.5, mfc="white", mec=tint, mew=1.8)
                word(panel, f"{point[1]:.1f}", point, (0, -14), ha="center")
        panel.set(xscale="log" if len(rows) else "linear", title=str(model), xlabel="features a class")
        panel.xaxis.set_major_formatter("{x:g}")
    axes[0].set_ylabel("accuracy, %")
    axes[-1].legend(loc="lower right")


def removals(panel: Axes, rows: Sequence[dict[str, Any]]) -> None:
    """The share of errors that one, two and three removed features correct, beside as many random ones.

    Args:
        rows: by `debugset.report.sparse_tables.SparseTables.removal_rows`.
    """
    for place, row in enumerate(rows):
        tint = embedder_colour(row["model"])
        shares = row["by_size"] if row["errors"] else {}
        for removed, share in shares.items():
            height = place + 0.24 * (removed - 2)
            panel.plot([100 * share["low"], 100 * share["high"]], [height, height], color=tint, lw=2.2, alpha=0.5)
            panel.plot([100 * share["share"]], [height], "o", ms=4.5, color=tint)
            panel.plot([100 * share["chance"]], [height], "x", ms=4.5, color=FAINT)
            word(panel, str(removed), (100 * share["high"], height), (3, 0), va="center", fontsize=7)
    name_rows(panel, [row["name"] for row in rows])
    panel.set(xlim=(0, 103), xlabel="errors that are corrected, %")
