"""Marks that several figures share: named rows, a dot with its interval, a small word, a picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from PIL import Image


def name_rows(panel: Axes, names: Sequence[str], bold: str = "") -> None:
    """Name the rows of a panel from the top down, one of them in bold, without grid lines along them."""
    panel.grid(axis="y", visible=False)
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(len(names) - 0.4, -0.6)  # a little more room than half a row above and below
    for label in panel.get_yticklabels():
        if label.get_text() == bold:
            label.set_fontweight("bold")


def interval(
    panel: Axes, place: float, value: float, low: float, high: float, tint: str, *, ends: str = "round", **dot: Any
) -> None:
    """A dot of the given look at ``value`` in row ``place``, with its interval as a line with such ``ends``."""
    panel.plot([low, high], [place, place], color=tint, lw=2.2, alpha=0.55, solid_capstyle=ends)
    panel.plot([value], [place], "o", color=tint, ms=6, **dot)


def word(panel: Axes, text: str, place: tuple[float, float], offset: tuple[int, int], **style: Any) -> None:
    """A small word beside a point; the offset is in points."""
    panel.annotate(text, place, xytext=offset, textcoords="offset points", **{"fontsize": 8, **style})


def picture(panel: Axes, image: Image.Image | np.ndarray, left: float, top: float, side: float = 1.0) -> None:
    """A square image of that side, its pixels as they are."""
    panel.imshow(np.asarray(image), extent=(left, left + side, top + side, top), interpolation="nearest", zorder=2)
