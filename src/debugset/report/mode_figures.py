"""Figures of failure modes: how much rules explain, and error rates before and after."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from debugset.report.drawing import FAINT, INK, embedder_colour, variant_colour

GROUPINGS = {"label": "by label (false negatives)", "prediction": "by prediction (false positives)"}


def gains(axes: Sequence[Axes], groups: pd.DataFrame) -> None:
    """ALER - BER, a dot a class, by features and depth; one panel a grouping (figures 8 and 16 to 20).

    Args:
        axes: one for each grouping.
        groups: analysed, features, grouping, depth, gain, heldout_gain, chance_gain_95.
    """
    keys = groups[["analysed", "features", "depth"]].drop_duplicates().to_dict("records")
    for panel, (grouping, title) in zip(axes, GROUPINGS.items(), strict=True):
        mine = groups[groups["grouping"] == grouping]
        for place, key in enumerate(keys):
            rows = mine[(mine[list(key)] == pd.Series(key)).all(axis=1)]
            if rows.empty:
                continue
            tint = embedder_colour(key["features"])
            spread = np.linspace(-0.25, 0.25, len(rows)) if len(rows) > 1 else np.zeros(1)
            panel.plot(np.sort(rows["gain"]), place + spread, "o", ms=3, alpha=0.55, mew=0, color=tint)
            panel.plot([rows["gain"].mean()], [place], "|", ms=13, mew=2.4, color=tint)
            panel.plot([rows["heldout_gain"].mean()], [place], "D", ms=4.5, mfc="white", mew=1.3, color=tint)
            panel.plot([rows["chance_gain_95"].mean()], [place], "x", ms=5, color=FAINT)
        panel.axvline(0, color=INK, lw=0.8)
        panel.grid(axis="y", visible=False)
        panel.set_yticks(range(len(keys)), [f"{k['analysed']} by {k['features']}, depth {k['depth']}" for k in keys])
        panel.set_ylim(len(keys) - 0.4, -0.6)
        panel.set_xlabel("ALER - BER")
        panel.set_title(title)


def slopes(panel: Axes, table: pd.DataFrame, chosen: str) -> None:
    """Error rate of each mode from the original model, over plain retraining, to the chosen variant.

    Args:
        panel: where to draw.
        table: mode, variant, error_rate.
        chosen: the variant on the right.
    """
    stops = [name for name in ("original", "retrain", chosen) if name in set(table["variant"])]
    wide = 100 * table[table["mode"] != "all"].pivot(index="mode", columns="variant", values="error_rate")[stops]
    ends = _apart(wide[stops[-1]].to_numpy(), 90 / (len(wide) + 6))
    for (mode, row), end in zip(wide.iterrows(), ends, strict=True):
        panel.plot(range(len(stops)), row, "o-", ms=4, lw=1.6, color=variant_colour(chosen), alpha=0.75)
        panel.annotate(
            f"{mode}  {row.iloc[-1]:.0f}", (len(stops) - 1, row.iloc[-1]), (len(stops) - 0.93, end),
            fontsize=7.5, va="center", arrowprops={"arrowstyle": "-", "lw": 0.5, "color": FAINT},
        )  # fmt: skip
    panel.set_xticks(range(len(stops)), stops)
    panel.set_xlim(-0.15, len(stops) + 0.25)
    panel.set_ylim(min(0.0, float(np.min(ends)) - 2), max(100.0, float(np.max(ends)) + 2))
    panel.set_title("Error rate of each mode, %")


def together(panel: Axes, rows: pd.DataFrame, variants: Sequence[str], chosen: str) -> None:
    """Error rate of every variant on all modes' images, with intervals.

    Args:
        panel: where to draw.
        rows: variant, error_rate, low, high.
        variants: in order.
        chosen: printed in bold.
    """
    shown = [name for name in variants if name in set(rows["variant"])]
    for row in rows.to_dict("records"):
        place, tint = shown.index(row["variant"]), variant_colour(row["variant"])
        panel.plot([100 * row["low"], 100 * row["high"]], [place, place], color=tint, lw=2.2, alpha=0.55)
        panel.plot([100 * row["error_rate"]], [place], "o", ms=6, color=tint)
        words: dict[str, Any] = {"fontsize": 8, "va": "center", "textcoords": "offset points"}
        panel.annotate(f"{100 * row['error_rate']:.1f}", (100 * row["high"], place), xytext=(5, 0), **words)
    panel.set_yticks(range(len(shown)), shown)
    for label in panel.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() == chosen else "normal")
    panel.set_ylim(len(shown) - 0.4, -0.6)
    panel.margins(x=0.2)
    panel.grid(axis="y", visible=False)
    panel.set_title("Error rate on the images of all modes, %")


def _apart(values: np.ndarray, gap: float) -> np.ndarray:
    """Places for labels near their values, in the same order, at least ``gap`` apart."""
    order = np.argsort(values, kind="stable")
    places = values.astype(float).copy()
    for before, after in pairwise(order):
        places[after] = max(places[after], places[before] + gap)
    return places - max(0.0, (places - values).mean())
