"""Failures with their picks as one picture, for README."""

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from PIL import Image

from debugset.images.pixels import square_pixels
from debugset.report.inputs import Inputs
from debugset.report.seeds import SEED_SET, nearest_picks, shown_seeds, verdict

RIGHT, WRONG = "#00795b", "#c2410c"


@dataclass(frozen=True)
class Row:
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


def rows(inputs: Inputs, limit: int) -> list[Row]:
    """The first ``limit`` shown seeds of different classes with their picks by the chosen embedder."""
    embedder = inputs.chosen.removeprefix("dcd-")
    now = inputs.predicted(inputs.chosen, "seed_source")
    found: dict[int, Row] = {}
    for seed in shown_seeds(inputs):
        if seed.label in found and len(found) < len(inputs.debug_classes):
            continue
        picks = []
        for row in nearest_picks(inputs, embedder, seed)["row"].tolist():
            picks.append((inputs.pool.image(row), *verdict(inputs, inputs.pool, row, seed.label)))
        label, predicted = inputs.class_name(seed.label), inputs.class_name(seed.predicted)
        after = inputs.class_name(int(now[seed.image_id])) if seed.image_id in now else ""
        image = inputs.images(SEED_SET).image(seed.row)
        found.setdefault(seed.label, Row(image, label, predicted, picks, after))
    return list(found.values())[:limit]


def draw(panel: Axes, content: list[Row], embedder: str) -> None:
    """Draw the rows: failure, what it was taken for, its picks, what it is taken for now.

    Args:
        panel: one empty panel; a unit is the width of an image.
        content: the rows.
        embedder: named in the heading.
    """
    widest = max([5, *(len(row.picks) for row in content)])  # the headings need room
    step, first = 1.32, 2.6
    panel.set(xlim=(0, first + widest * 1.12 + 1.9), ylim=(len(content) * step + 0.1, -0.55), aspect="equal")
    panel.axis("off")
    heading: dict[str, Any] = {"fontsize": 10, "fontweight": "bold", "va": "center"}
    panel.text(0, -0.3, "the model fails on", **heading)
    panel.text(first, -0.3, f"picked from the pool for it ({embedder})", **heading)
    panel.text(first + widest * 1.12 + 0.15, -0.3, "retrained, it says", **heading)
    for place, row in enumerate(content):
        top = place * step
        _image(panel, row.failure, 0.0, top, "")
        panel.text(1.1, top + 0.38, row.label, fontsize=10, va="center")
        panel.text(1.1, top + 0.66, f"✗ {row.predicted}", fontsize=10, color=WRONG, va="center")
        for column, (image, caption, mark) in enumerate(row.picks):
            left = first + column * 1.12
            _image(panel, image, left, top, mark)
            if mark == "wrong":
                panel.text(left + 0.5, top + 1.11, f"✗ {caption}", fontsize=8, color=WRONG, ha="center", va="center")
        mended = row.now == row.label
        panel.text(
            first + widest * 1.12 + 0.15,
            top + 0.5,
            f"{'✓' if mended else '✗'} {row.now}" if row.now else "",
            fontsize=11,
            fontweight="bold",
            color=RIGHT if mended else WRONG,
            va="center",
        )


def _image(panel: Axes, image: Image.Image, left: float, top: float, mark: str) -> None:
    square = square_pixels(image, min(96, *image.size), interpolation="lanczos")
    panel.imshow(square, extent=(left, left + 1, top + 1, top), interpolation="nearest", zorder=2)
    if mark == "wrong":
        panel.plot(
            [left, left + 1, left + 1, left, left],
            [top, top, top + 1, top + 1, top],
            color=WRONG,
            lw=2.2,
            zorder=3,
        )
