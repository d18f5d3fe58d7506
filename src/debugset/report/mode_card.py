"""A failure mode as one picture: its numbers, what its feature sees, and failures that its rule holds for."""

import textwrap
from typing import Any

from matplotlib.axes import Axes

from debugset.report.drawing import BAD, FAINT, GOOD, INK
from debugset.report.marks import picture
from debugset.report.modes import FAILURES_LANE, Mode
from debugset.report.pictures import Lane

WIDTH = 9.6  # inches
LABEL, STEP = 2.0, 1.12  # the room for a lane's title, and from picture to picture; in widths of a picture
LANE_STEP, LINE_STEP = 1.28, 0.3  # from lane to lane, and from line to line above them, in the same unit


def height(mode: Mode) -> float:
    """The card's height in inches."""
    return 0.9 + 0.27 * len(_lines(mode)) + 1.13 * len(mode.lanes)


def draw(panel: Axes, mode: Mode) -> None:
    """Draw a card into one empty panel of `WIDTH` by `height` inches."""
    columns = max([6, *(len(lane.images) for lane in mode.lanes)])  # at least 6, so that pictures keep their size
    lines = _lines(mode)
    panel.set(xlim=(0, LABEL + columns * STEP), aspect="equal")
    panel.set_ylim(len(mode.lanes) * LANE_STEP, -LINE_STEP * len(lines) - 0.15)
    panel.axis("off")
    for place, (text, style) in enumerate(reversed(lines), start=1):
        panel.text(0, -LINE_STEP * place, text, va="center", in_layout=False, **style)
    for place, lane in enumerate(mode.lanes):
        _lane(panel, lane, place * LANE_STEP)


def _lines(mode: Mode) -> list[tuple[str, dict[str, Any]]]:
    """The lines above the pictures with their style, a line a condition."""
    row = mode.row
    rates = f"error {row['error_rate']:.0%} instead of {row['base_error_rate']:.0%}"
    lines: list[tuple[str, dict[str, Any]]] = []
    for line in textwrap.wrap(mode.title, 70):
        lines.append((line, {"fontsize": 14, "fontweight": "bold"}))
    for line in (f"{rates}, {row['error_coverage']:.0%} of the group's errors", *row["words"].split(" and ")):
        lines.append((line, {"fontsize": 10}))
    lines.append((mode.verdict, {"fontsize": 10, "color": GOOD if mode.holds else BAD}))
    return lines


def _lane(panel: Axes, lane: Lane, top: float) -> None:
    title = lane.title.replace(": ", ":\n").replace(" the rule", "\nthe rule").replace(" changed", "\nchanged")
    colour = BAD if lane.title == FAILURES_LANE else INK
    panel.text(0, top + 0.5, title, fontsize=9.5, va="center", color=colour, linespacing=1.35, in_layout=False)
    for column, (image, caption) in enumerate(zip(lane.images, lane.captions, strict=True)):
        left = LABEL + column * STEP
        picture(panel, image, left, top)
        panel.text(left + 0.5, top + 1.11, caption, size=7.5, color=FAINT, ha="center", va="center", in_layout=False)
