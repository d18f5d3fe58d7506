"""A failure mode as one picture: its numbers, what its feature sees, and failures that its rule holds for."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from debugset.report.drawing import FAINT, INK
from debugset.report.modes import FAILURES, Mode

WIDTH = 9.6
LABEL, GAP = 2.0, 0.12  # in widths of an image
BAD, GOOD = "#c2410c", "#00795b"


def height(mode: Mode) -> float:
    """The card's height in inches."""
    return 0.9 + 0.27 * len(_words(mode)) + 1.13 * len(mode.lanes)


def draw(panel: Axes, mode: Mode) -> None:
    """Draw a card.

    Args:
        panel: one empty panel of `WIDTH` by `height` inches.
        mode: with its pictures.
    """
    columns = max([6, *(len(lane.images) for lane in mode.lanes)])
    step, words = 1 + 0.28, _words(mode)
    panel.set(xlim=(0, LABEL + columns * (1 + GAP)), aspect="equal")
    panel.set_ylim(len(mode.lanes) * step, -0.3 * len(words) - 0.15)
    panel.axis("off")
    for place, (text, style) in enumerate(reversed(words)):
        panel.text(0, -0.3 * (place + 1), text, va="center", **style).set_in_layout(False)
    for place, lane in enumerate(mode.lanes):
        _lane(panel, lane, place * step)


def _words(mode: Mode) -> list[tuple[str, dict[str, Any]]]:
    """The lines above the pictures with their style, a line a condition."""
    row, plain = mode.row, {"fontsize": 10}
    holds, verdict = held_out(row)
    rates = f"error {row['error_rate']:.0%} instead of {row['base_error_rate']:.0%}"
    title = [(line, {"fontsize": 14, "fontweight": "bold"}) for line in textwrap.wrap(mode.title, 70)]
    return [
        *title,
        (f"{rates}, {row['error_coverage']:.0%} of the group's errors", plain),
        *((condition, plain) for condition in row["words"].split(" and ")),
        (verdict, plain | {"color": GOOD if holds else BAD}),
    ]


def held_out(row: dict[str, Any]) -> tuple[bool, str]:
    """Whether a mode holds on the held-out half, and its numbers there as a sentence."""
    if not row["heldout_count"]:
        return False, "held-out half: no image to try it on"
    numbers = f"error {row['heldout_error_rate']:.0%} instead of {row['heldout_base_error_rate']:.0%}"
    p = "p < 0.001" if row["p_corrected"] < 0.001 else f"p = {row['p_corrected']:.3f}"
    verdict = "it holds" if row["holds"] else "it does not hold"
    return bool(row["holds"]), f"held-out half: {numbers}, corrected {p}: {verdict}"


def _lane(panel: Axes, lane: Any, top: float) -> None:
    words = lane.title.replace(": ", ":\n").replace(" the rule", "\nthe rule").replace(" changed", "\nchanged")
    colour = BAD if lane.title == FAILURES else INK
    panel.text(0, top + 0.5, words, fontsize=9.5, va="center", color=colour, linespacing=1.35).set_in_layout(False)
    for column, (image, caption) in enumerate(zip(lane.images, lane.captions, strict=True)):
        left = LABEL + column * (1 + GAP)
        panel.imshow(np.asarray(image), extent=(left, left + 1, top + 1, top), interpolation="nearest", zorder=2)
        below = panel.text(left + 0.5, top + 1.11, caption, fontsize=7.5, color=FAINT, ha="center", va="center")
        below.set_in_layout(False)
