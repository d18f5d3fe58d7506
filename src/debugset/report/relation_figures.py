"""Figures of relations between attributes: as a graph, by level of bias, by attribute, as histograms."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from debugset.relations.diagnosis import FAILURE_MODE
from debugset.report.drawing import FAINT, INK, drawing
from debugset.report.inputs import records
from debugset.report.marks import word
from debugset.report.relation_tables import SERIES, RelationTables, run_words

POSITIVE, NEGATIVE = "#e69f00", "#0072b2"  # told apart by colour-blind readers; the paper's yellow and cyan are not
_BIASED = "#d55e00"
_TINTS = (FAINT, _BIASED, NEGATIVE, POSITIVE)
_EDGES = 300  # as many as the paper drew
_GRAPHS_A_ROW = 3


@contextmanager
def graphs_figure(tables: RelationTables) -> Iterator[Figure]:
    """The expected relations, and those of every network that is shown, as graphs (figure 4); empty without any."""
    runs = [] if tables.empty else tables.shown_runs
    rows, columns = -(-(1 + len(runs)) // _GRAPHS_A_ROW), min(1 + len(runs), _GRAPHS_A_ROW)
    with drawing(rows, columns, (3.3 * columns, 3.2 * rows)) as (figure, axes):
        for panel in axes:
            panel.set_axis_off()
        if runs:
            _graph(axes[0], "expected of each label", tables, runs[0], "expected_mean")
        for panel, run in zip(axes[1:], runs, strict=False):  # the last row may have free panels
            _graph(panel, f"mined: {run_words(run)}", tables, run, "mean")
        yield figure


def _graph(panel: Axes, title: str, tables: RelationTables, run: dict[str, Any], column: str) -> None:
    """Attributes on a circle, an edge for each pair, coloured and widened by its cosine: `mean` or `expected_mean`."""
    names = tables.of_run("attributes", run["name"])["attribute"].tolist()
    pairs = tables.of_run("pairs", run["name"]).sort_values(column, key=abs, na_position="first").tail(_EDGES)
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(names)) / len(names)  # clockwise from the top
    places = dict(zip(names, np.column_stack([np.cos(angles), np.sin(angles)]), strict=True))
    for pair in records(pairs):
        ends = np.array([places[pair["attribute_a"]], places[pair["attribute_b"]]])
        _edge(panel, ends, pair[column])
        if pair["kind"] and column == "mean":
            marker = "o" if pair["kind"] == FAILURE_MODE else "s"
            panel.plot(*ends.mean(axis=0), marker, ms=6, color="white", mec=_BIASED, mew=1.6)
    size = 7.5 if len(names) <= 16 else max(3.5, 120 / len(names))  # points; the names of a full circle still fit
    for name, (x, y) in places.items():
        panel.plot(x, y, "o", ms=5, color=INK)
        side = "left" if x > 0 else "right"
        panel.text(1.12 * x, 1.12 * y, name, ha="center" if abs(x) < 0.3 else side, va="center", fontsize=size)
    panel.set(title=title, xlim=(-1.6, 1.6), ylim=(-1.25, 1.25), aspect="equal")


def _edge(panel: Axes, ends: np.ndarray, cosine: float) -> None:
    """A line between two attributes, as wide and clear as their cosine is strong."""
    strength = 0.0 if np.isnan(cosine) else min(1.0, abs(cosine))
    tint = POSITIVE if cosine > 0 else NEGATIVE
    if strength < 0.1:
        tint = FAINT
    panel.plot(*ends.T, color=tint, lw=0.5 + 3 * strength, alpha=0.25 + 0.65 * strength, solid_capstyle="round")


def levels(panel: Axes, biased: pd.DataFrame) -> None:
    """The divergence of each biased pair by level of bias, a line a pair and run, their mean in red (figure 6).

    Args:
        biased: attribute_a, attribute_b, random_state, tau, kl.
    """
    for (a, b, _), series in biased.groupby(SERIES, sort=False):
        panel.plot(series["tau"], series["kl"], "o-", color=FAINT, ms=3.5, lw=1.2)
        word(panel, f"{a}-{b}", (series["tau"].iloc[-1], series["kl"].iloc[-1]), (-4, 4), ha="right", fontsize=7.5)
    mean = biased.groupby("tau")["kl"].mean()
    panel.plot(mean.index, mean, "-", color=_BIASED, lw=2)
    panel.set(xlabel="bias level tau", ylabel="KL(P ‖ Q), nats", title="Divergence of biased pairs")


def by_attribute(panel: Axes, divergences: Mapping[str, pd.Series]) -> None:
    """How badly each attribute is learned, a dot a network: its divergences by attribute, nats (figure 5)."""
    table = pd.DataFrame(divergences)
    table = table.loc[table.max(axis=1).sort_values(kind="stable").index]
    for column, marker, tint in zip(table, cycle("osD^v<>p"), cycle(_TINTS), strict=False):
        panel.plot(table[column], range(len(table)), marker, ms=5, color=tint, label=column)
    panel.set_yticks(range(len(table)), list(table.index))
    panel.grid(axis="y", visible=False)
    panel.legend(loc="lower right", fontsize=7.5)
    panel.set(xlabel="mean divergence of its pairs, nats", title="How badly each attribute is learned")


def histograms(panels: Sequence[Axes], pairs: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> None:
    """How many images have which cosine, for some pairs in some networks (figure 3).

    Args:
        pairs: attribute_a, attribute_b, relation.
        tables: by network, attribute_a, attribute_b, counts in equal bins of [-1, 1].
    """
    for panel, (a, b, relation) in zip(panels, pairs.itertuples(index=False), strict=True):
        for (name, table), tint in zip(tables.items(), cycle(_TINTS), strict=False):
            mine = table[(table["attribute_a"] == a) & (table["attribute_b"] == b)]
            if len(mine):
                bins = np.asarray(mine["counts"].iloc[0])
                panel.stairs(bins, np.linspace(-1, 1, len(bins) + 1), fill=True, color=tint, alpha=0.55, label=name)
        panel.set_title(f"{a} - {b}\n{relation}", fontsize=8.5)
        panel.set(xlim=(-1, 1), xlabel="cosine")
    panels[0].set_ylabel("images")
    panels[-1].legend(fontsize=7.5)
