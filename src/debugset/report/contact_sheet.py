"""Failures with their picks as one picture, for README."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from PIL import Image

from debugset.base.paths import SEED_SOURCE
from debugset.images.pixels import square_pixels
from debugset.report.drawing import BAD, GOOD
from debugset.report.inputs import Inputs
from debugset.report.marks import picture
from debugset.report.pool_photos import caption_and_mark
from debugset.report.seeds import SEED_SET, draw_seeds, nearest_picks

FIRST, STEP, LINE = 2.6, 1.12, 1.32  # the first pick, from pick to pick, from row to row; in widths of a picture
SIDE = 96  # px of a picture, at most


class SheetRow(NamedTuple):
    """A failure and its picks."""

    failure: Image.Image
    label: str
    predicted: str  # by the original model
    picks: list[tuple[Image.Image, str, str]]  # each with its caption and mark: "right", "wrong" or ""
    now: str  # predicted by the retrained model, or "" where it did not see the failure


def sheet_rows(inputs: Inputs, limit: int) -> list[SheetRow]:
    """The first of the shown seeds of each class, ``limit`` at most, with their picks by the chosen embedder."""
    predicted = inputs.predicted_labels(inputs.chosen, SEED_SOURCE)
    rows: dict[int, SheetRow] = {}
    for seed in draw_seeds(inputs):
        if seed.label in rows or len(rows) == limit:
            continue
        picks = []
        for row in nearest_picks(inputs, inputs.chosen_embedder, seed)["row"].tolist():
            picks.append((inputs.pool.image(row), *caption_and_mark(inputs, row, seed.label)))
        names = inputs.class_name(seed.label), inputs.class_name(seed.predicted)
        now = inputs.class_name(predicted[seed.image_id]) if seed.image_id in predicted else ""
        rows[seed.label] = SheetRow(inputs.images(SEED_SET).image(seed.row), *names, picks, now)
    return list(rows.values())


def draw(panel: Axes, rows: list[SheetRow], embedder: str) -> None:
    """Draw the rows into one empty panel: failure, what it was taken for, its picks, what it is taken for now."""
    picks = max([5, *(len(row.picks) for row in rows)])  # at least 5: the headings need room
    last = FIRST + picks * STEP  # a unit is the width of a picture
    panel.set(xlim=(0, last + 1.9), ylim=(len(rows) * LINE + 0.1, -0.55), aspect="equal")
    panel.axis("off")
    heading: dict[str, Any] = {"fontsize": 10, "fontweight": "bold", "va": "center"}
    panel.text(0, -0.3, "the model fails on", **heading)
    panel.text(FIRST, -0.3, f"picked from the pool for it ({embedder})", **heading)
    panel.text(last + 0.15, -0.3, "retrained, it says", **heading)
    for place, row in enumerate(rows):
        _draw_row(panel, row, place * LINE, last)


def _draw_row(panel: Axes, row: SheetRow, top: float, last: float) -> None:
    picture(panel, _square(row.failure), 0.0, top)
    panel.text(1.1, top + 0.38, row.label, fontsize=10, va="center")
    panel.text(1.1, top + 0.66, f"✗ {row.predicted}", fontsize=10, color=BAD, va="center")
    for column, (image, caption, mark) in enumerate(row.picks):
        left = FIRST + column * STEP
        picture(panel, _square(image), left, top)
        if mark == "wrong":
            right, bottom = left + 1, top + 1
            panel.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=BAD, lw=2.2, zorder=3)
            panel.text(left + 0.5, top + 1.11, f"✗ {caption}", fontsize=8, color=BAD, ha="center", va="center")
    if row.now:
        mark, tint = ("✓", GOOD) if row.now == row.label else ("✗", BAD)
        panel.text(last + 0.15, top + 0.5, f"{mark} {row.now}", color=tint, size=11, weight="bold", va="center")


def _square(image: Image.Image) -> UInt8[np.ndarray, "side side 3"]:
    return square_pixels(image, min(SIDE, *image.size), interpolation="lanczos")
