"""A failure mode as one picture: its numbers, what its feature sees, and failures that its rule holds for."""

import textwrap

from matplotlib.axes import Axes

from debugset.report import card
from debugset.report.drawing import BAD, GOOD
from debugset.report.modes import FAILURES_LANE, Mode


def height(mode: Mode) -> float:
    """The card's height in inches."""
    return card.height(_lines(mode), mode.lanes)


def draw(panel: Axes, mode: Mode) -> None:
    """Draw a card into one empty panel of `debugset.report.card.WIDTH` by `height` inches."""
    lanes = [lane._replace(title=_broken(lane.title)) for lane in mode.lanes]
    card.draw(panel, _lines(mode), lanes, bad=_broken(FAILURES_LANE))


def _lines(mode: Mode) -> list[card.Line]:
    """The lines above the pictures with their style, a line a condition."""
    row = mode.row
    rates = f"error {row['error_rate']:.0%} instead of {row['base_error_rate']:.0%}"
    lines: list[card.Line] = []
    for line in textwrap.wrap(mode.title, 70):
        lines.append((line, card.TITLE))
    for line in (f"{rates}, {row['error_coverage']:.0%} of the group's errors", *row["words"].split(" and ")):
        lines.append((line, card.TEXT))
    lines.append((mode.verdict, card.TEXT | {"color": GOOD if mode.holds else BAD}))
    return lines


def _broken(title: str) -> str:
    """A lane's title in lines that fit beside it."""
    return title.replace(": ", ":\n").replace(" the rule", "\nthe rule").replace(" changed", "\nchanged")
