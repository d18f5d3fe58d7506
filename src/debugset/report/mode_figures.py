"""Figures of failure modes: how much rules explain, and error rates before and after."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes

from debugset.report.drawing import FAINT, INK, embedder_colour, variant_colour
from debugset.report.marks import interval, name_rows, word

GROUPINGS = {"label": "by label (false negatives)", "prediction": "by prediction (false positives)"}


def gains(axes: Sequence[Axes], groups: pd.DataFrame) -> None:
    """ALER - BER, a dot a class, by features and depth; one panel a grouping (figures 8 and 16 to 20).

    Args:
        groups: analysed, features, grouping, depth, gain, heldout_gain, chance_gain_95.
    """
    keys = groups[["analysed", "features", "depth"]].drop_duplicates()
    names = keys["analysed"] + " by " + keys["features"] + ", depth " + keys["depth"].astype(str)
    for panel, (grouping, title) in zip(axes, GROUPINGS.items(), strict=True):
        mine = groups[groups["grouping"] == grouping]
        for place, (analysed, features, depth) in enumerate(keys.itertuples(index=False)):
            which = (mine["analysed"] == analysed) & (mine["features"] == features) & (mine["depth"] == depth)
            if which.any():
                _gains_row(panel, place, mine[which], embedder_colour(features))
        panel.axvline(0, color=INK, lw=0.8)
        name_rows(panel, names.tolist())
        panel.set(xlabel="ALER - BER", title=title)


def _gains_row(panel: Axes, place: int, rows: pd.DataFrame, tint: str) -> None:
    """The gain of every class as a dot, their mean, and the means held out and by chance."""
    spread = np.linspace(-0.25, 0.25, len(rows)) if len(rows) > 1 else 0.0
    panel.plot(np.sort(rows["gain"]), place + spread, "o", ms=3, alpha=0.55, mew=0, color=tint)
    panel.plot([rows["gain"].mean()], [place], "|", ms=13, mew=2.4, color=tint)
    panel.plot([rows["heldout_gain"].mean()], [place], "D", ms=4.5, mfc="white", mew=1.3, color=tint)
    panel.plot([rows["chance_gain_95"].mean()], [place], "x", ms=5, color=FAINT)


def slopes(panel: Axes, table: pd.DataFrame, chosen: str) -> None:
    """Error rate of each mode from the original model, over plain retraining, to the chosen variant.

    Args:
        table: mode, variant, error_rate.
        chosen: the variant on the right.
    """
    rates = 100 * table[table["mode"] != "all"].pivot(index="mode", columns="variant", values="error_rate")
    stops = [name for name in ("original", "retrain", chosen) if name in rates]
    last = len(stops) - 1
    # The figure is 0.24 * (modes + 6.7) inches high, so this is a little more than a line of text.
    ends = _spread(rates[stops[-1]].to_numpy(), 90 / (len(rates) + 6))
    for (mode, row), end in zip(rates[stops].iterrows(), ends, strict=True):
        panel.plot(range(len(stops)), row, "o-", ms=4, lw=1.6, color=variant_colour(chosen), alpha=0.75)
        line = {"arrowstyle": "-", "lw": 0.5, "color": FAINT}
        text, point = f"{mode}  {row.iloc[-1]:.0f}", (last, row.iloc[-1])
        panel.annotate(text, point, (last + 0.07, end), fontsize=7.5, va="center", arrowprops=line)
    panel.set_xticks(range(len(stops)), stops)
    panel.set(xlim=(-0.15, len(stops) + 0.25), title="Error rate of each mode, %")
    panel.set_ylim(min(0.0, float(np.min(ends)) - 2), max(100.0, float(np.max(ends)) + 2))


def together(panel: Axes, rows: pd.DataFrame, variants: Sequence[str], chosen: str) -> None:
    """Error rate of every variant on all modes' images, with intervals.

    Args:
        rows: variant, error_rate, low, high.
        variants: in order.
        chosen: the variant printed in bold.
    """
    rates = 100 * rows.set_index("variant")[["error_rate", "low", "high"]]
    shown = [name for name in variants if name in rates.index]
    for variant, rate, low, high in rates.itertuples():
        place = float(shown.index(variant))
        interval(panel, place, rate, low, high, variant_colour(variant), ends="projecting")
        word(panel, f"{rate:.1f}", (high, place), (5, 0), va="center")
    name_rows(panel, shown, chosen)
    panel.margins(x=0.2)  # room for the numbers
    panel.set_title("Error rate on the images of all modes, %")


def _spread(values: Float[np.ndarray, " n"], gap: float) -> Float[np.ndarray, " n"]:
    """Places for labels near their values, in the same order, at least ``gap`` apart."""
    order = np.argsort(values, kind="stable")
    places = values.astype(float).copy()
    for before, after in pairwise(order):
        places[after] = max(places[after], places[before] + gap)
    return places - max(0.0, (places - values).mean())
