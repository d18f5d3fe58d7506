"""Figures of relations between attributes: as a graph, by level of bias, by attribute, as histograms."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from debugset.report.drawing import FAINT, INK

POSITIVE, NEGATIVE = "#e69f00", "#0072b2"  # told apart by colour-blind readers; the paper's yellow and cyan are not
PLANTED = "#d55e00"
TINTS = (FAINT, PLANTED, NEGATIVE, POSITIVE)
EDGES = 300  # as many as the paper drew


def graph(panel: Axes, title: str, pairs: pd.DataFrame, column: str, names: Sequence[str]) -> None:
    """Attributes on a circle, an edge for each pair, coloured and widened by its cosine (figure 4).

    Args:
        panel: where to draw.
        title: above it.
        pairs: ``attribute_a, attribute_b, kind`` and ``column``, the cosine.
        column: ``mean``, what was mined, or ``expected_mean``.
        names: the attributes in order.
    """
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(names)) / len(names)
    places = dict(zip(names, zip(np.cos(angles), np.sin(angles), strict=True), strict=True))
    size = 7.5 if len(names) <= 16 else max(3.5, 120 / len(names))
    for pair in pairs.sort_values(column, key=abs, na_position="first").tail(EDGES).to_dict("records"):
        ends = np.array([places[pair["attribute_a"]], places[pair["attribute_b"]]])
        strength = 0.0 if np.isnan(pair[column]) else min(1.0, abs(pair[column]))
        tint = FAINT if strength < 0.1 else POSITIVE if pair[column] > 0 else NEGATIVE
        panel.plot(*ends.T, color=tint, lw=0.5 + 3 * strength, alpha=0.25 + 0.65 * strength, solid_capstyle="round")
        if pair["kind"] and column == "mean":
            panel.plot(
                *ends.mean(0), "o" if pair["kind"] == "failure mode" else "s", ms=6, color="white", mec=PLANTED, mew=1.6
            )
    for name, (x, y) in places.items():
        panel.plot(x, y, "o", ms=5, color=INK)
        side = "center" if abs(x) < 0.3 else "left" if x > 0 else "right"
        panel.text(1.12 * x, 1.12 * y, name, ha=side, va="center", fontsize=size)
    panel.set_title(title)
    panel.set_axis_off()
    panel.set_xlim(-1.6, 1.6)
    panel.set_ylim(-1.25, 1.25)
    panel.set_aspect("equal")


def levels(panel: Axes, planted: pd.DataFrame) -> None:
    """The divergence of each biased pair by level of bias, a line a pair and run, their mean in red (figure 6).

    Args:
        panel: where to draw.
        planted: attribute_a, attribute_b, random_state, tau, kl.
    """
    for (a, b, _), series in planted.groupby(["attribute_a", "attribute_b", "random_state"], sort=False):
        panel.plot(series["tau"], series["kl"], "o-", color=FAINT, ms=3.5, lw=1.2)
        panel.annotate(
            f"{a}-{b}",
            (series["tau"].iloc[-1], series["kl"].iloc[-1]),
            xytext=(-4, 4),
            textcoords="offset points",
            ha="right",
            fontsize=7.5,
        )
    mean = planted.groupby("tau")["kl"].mean()
    panel.plot(mean.index, mean, "-", color=PLANTED, lw=2)
    panel.set_xlabel("bias level tau")
    panel.set_ylabel("KL(P ‖ Q), nats")
    panel.set_title("Divergence of biased pairs")


def by_attribute(panel: Axes, divergences: Mapping[str, pd.Series]) -> None:
    """How badly each attribute is learned, a dot a network (figure 5).

    Args:
        panel: where to draw.
        divergences: by network, the divergence of each attribute, nats.
    """
    table = pd.DataFrame(divergences)
    table = table.loc[table.max(axis=1).sort_values(kind="stable").index]
    for column, marker, tint in zip(table, cycle("osD^v<>p"), cycle(TINTS), strict=False):
        panel.plot(table[column], range(len(table)), marker, ms=5, color=tint, label=column)
    panel.set_yticks(range(len(table)), list(table.index))
    panel.grid(axis="y", visible=False)
    panel.legend(loc="lower right", fontsize=7.5)
    panel.set_xlabel("mean divergence of its pairs, nats")
    panel.set_title("How badly each attribute is learned")


def histograms(panels: Sequence[Axes], counts: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> None:
    """How many images have which cosine, for some pairs in some networks (figure 3).

    Args:
        panels: one a pair.
        counts: the pairs: attribute_a, attribute_b, relation.
        tables: by network, attribute_a, attribute_b, counts in equal bins of [-1, 1].
    """
    for panel, pair in zip(panels, counts.to_dict("records"), strict=True):
        for (name, table), tint in zip(tables.items(), cycle(TINTS), strict=False):
            mine = table[(table["attribute_a"] == pair["attribute_a"]) & (table["attribute_b"] == pair["attribute_b"])]
            if len(mine):
                bins = np.asarray(mine["counts"].iloc[0])
                panel.stairs(bins, np.linspace(-1, 1, len(bins) + 1), fill=True, color=tint, alpha=0.55, label=name)
        panel.set_title(f"{pair['attribute_a']} - {pair['attribute_b']}\n{pair['relation']}", fontsize=8.5)
        panel.set_xlim(-1, 1)
        panel.set_xlabel("cosine")
    panels[0].set_ylabel("images")
    panels[-1].legend(fontsize=7.5)
