"""Failures with their picks as one picture, for README."""

from dataclasses import dataclass
from typing import Any

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
from debugset.report.seeds import SEED_SET, Seed, draw_seeds, nearest_picks

FIRST, STEP, LINE = 2.6, 1.12, 1.32  # the first pick, from pick to pick, from row to row; in widths of a picture
SIDE = 96  # px of a picture, at most


@dataclass(frozen=True)
class SheetRow:
    """A failure and its picks.

    Attributes:
        failure: the image.
        label: its class.
        predicted: what the original model took it for.
        picks: image, caption and mark ("right", "wrong" or "") of each pick.
        now: what the retrained model takes it for, or "" where it did not see it.
    """

    failure: Image.Image
    label: str
    predicted: str
    picks: list[tuple[Image.Image, str, str]]
    now: str


def sheet_rows(inputs: Inputs, limit: int) -> list[SheetRow]:
    """The first of the shown seeds of each class, ``limit`` at most, with their picks by the chosen embedder."""
    now = inputs.predicted_labels(inputs.chosen, SEED_SOURCE)
    rows: dict[int, SheetRow] = {}
    for seed in draw_seeds(inputs):
        if seed.label not in rows and len(rows) < limit:
            rows[seed.label] = _sheet_row(inputs, seed, now.get(seed.image_id))
    return list(rows.values())


def _sheet_row(inputs: Inputs, seed: Seed, now: int | None) -> SheetRow:
    picks = []
    for row in nearest_picks(inputs, inputs.chosen_embedder, seed)["row"].tolist():
        picks.append((inputs.pool.image(row), *caption_and_mark(inputs, row, seed.label)))
    return SheetRow(
        failure=inputs.images(SEED_SET).image(seed.row),
        label=inputs.class_name(seed.label),
        predicted=inputs.class_name(seed.predicted),
        picks=picks,
        now="" if now is None else inputs.class_name(now),
    )


def draw(panel: Axes, rows: list[SheetRow], embedder: str) -> None:
    """Draw the rows: failure, what it was taken for, its picks, what it is taken for now.

    Args:
        panel: one empty panel; a unit is the width of a picture.
        rows: what to draw.
        embedder: named in the heading.
    """
    picks = 5  # at least: the headings need room
    for row in rows:
        picks = max(picks, len(row.picks))
    last = FIRST + picks * STEP
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
        style: dict[str, Any] = {"fontsize": 11, "fontweight": "bold", "va": "center"}
        panel.text(last + 0.15, top + 0.5, f"{mark} {row.now}", color=tint, **style)


def _square(image: Image.Image) -> UInt8[np.ndarray, "side side 3"]:
    return square_pixels(image, min(SIDE, *image.size), interpolation="lanczos")
