"""A card: one picture for docs, lines of text above lanes of pictures."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from PIL import Image

from debugset.report.drawing import BAD, FAINT, INK
from debugset.report.marks import picture
from debugset.report.pictures import Lane

WIDTH = 9.6  # inches
LABEL, STEP = 2.0, 1.12  # the room for a lane's title, and from picture to picture; in widths of a picture
LANE_STEP, LINE_STEP = 1.28, 0.3  # from lane to lane, and from line to line above them, in the same unit

Line = tuple[str, dict[str, Any]]  # a text and its style
TITLE: dict[str, Any] = {"fontsize": 14, "fontweight": "bold"}
TEXT: dict[str, Any] = {"fontsize": 10}


def height(lines: Sequence[Line], lanes: Sequence[Lane]) -> float:
    """The card's height in inches."""
    return 0.9 + 0.27 * len(lines) + 1.13 * len(lanes)


def draw(
    panel: Axes, lines: Sequence[Line], lanes: Sequence[Lane], *, image: Image.Image | None = None, bad: str = ""
) -> None:
    """Draw a card into one empty panel of `WIDTH` by `height` inches.

    Args:
        image: stands on the left of the lines.
        bad: the title of the lane whose title is red.
    """
    columns = max([6, *(len(lane.images) for lane in lanes)])  # at least 6, so that pictures keep their size
    panel.set(xlim=(0, LABEL + columns * STEP), aspect="equal")
    panel.set_ylim(len(lanes) * LANE_STEP, -LINE_STEP * len(lines) - 0.15)
    panel.axis("off")
    if image is not None:
        side = min(LINE_STEP * len(lines), LABEL) - 0.1
        picture(panel, image, 0.0, -LINE_STEP * len(lines) - 0.05, side)
    for place, (text, style) in enumerate(reversed(lines), start=1):
        panel.text(0 if image is None else LABEL, -LINE_STEP * place, text, va="center", in_layout=False, **style)
    for place, lane in enumerate(lanes):
        _lane(panel, lane, place * LANE_STEP, BAD if lane.title == bad else INK)


def _lane(panel: Axes, lane: Lane, top: float, tint: str) -> None:
    panel.text(0, top + 0.5, lane.title, fontsize=9.5, va="center", color=tint, linespacing=1.35, in_layout=False)
    for column, (image, caption) in enumerate(zip(lane.images, lane.captions, strict=True)):
        left = LABEL + column * STEP
        picture(panel, image, left, top)
        panel.text(left + 0.5, top + 1.11, caption, size=7.5, color=FAINT, ha="center", va="center", in_layout=False)
