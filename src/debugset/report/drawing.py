"""Matplotlib figures as inline SVG or PNG, the same bytes for the same numbers."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from debugset.base.files import replacing_file

INK = "#1f2733"  # lines and words; on the page it becomes the colour of the text around it
FAINT = "#8b95a3"
GOOD, BAD = "#00795b", "#c2410c"  # as in style.css
_EMBEDDER_COLOURS = {  # Okabe and Ito's palette, told apart by colour-blind readers
    "foundation": "#0072b2",
    "original": "#009e73",
    "robust": "#b5558f",
    "pixels": "#e69f00",
    "chance": "#6b7280",
}
_VARIANT_COLOURS = {
    "original": "#6b7280",
    "retrain": "#9aa1ab",
    "random": "#e69f00",
    "complete": "#d55e00",
    **{f"dcd-{name}": colour for name, colour in _EMBEDDER_COLOURS.items()},
}
_OTHER_COLOUR = "#56b4e9"
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "text.parse_math": False,  # a class name may hold a dollar sign
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color"), INK),
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "debugset",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


def variant_colour(name: str) -> str:
    """The colour of a variant; a dcd variant wears its embedder's."""
    return _VARIANT_COLOURS.get(name, _OTHER_COLOUR)


def embedder_colour(name: str) -> str:
    """The colour of an embedder, of pixels, or of chance."""
    return _EMBEDDER_COLOURS.get(name, _OTHER_COLOUR)


@contextmanager
def drawing(rows: int, columns: int, size: tuple[float, float], **options: Any) -> Iterator[tuple[Figure, list[Axes]]]:
    """Yield a figure of this look and its axes in reading order; the options are those of ``Figure.subplots``.

    Args:
        size: width and height in inches; on the page an inch is about 100 px.
    """
    with style.context(_STYLE, after_reset=True):  # whatever the user's matplotlibrc says
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(rows, columns, squeeze=False, **options)
        yield figure, list(axes.flat)


def svg(figure: Figure, name: str, alt: str) -> Markup:
    """A figure as an SVG element that takes the page's width and its colour of text.

    Args:
        figure: the figure, still inside its `drawing` block.
        name: unique on the page; it keeps the ids of two figures apart.
        alt: what the figure shows.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->\s*", "", text, flags=re.DOTALL)  # comments copy every label
    text = re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)  # of the SVG itself
    text = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{name}-", text).replace(INK, "currentColor")
    pixels = 96 * figure.get_figwidth()
    opening = f'<svg role="img" aria-label="{escape(alt)}" style="max-width: {pixels:.0f}px"'
    return Markup(text.replace("<svg", opening, 1))


def png(figure: Figure, path: Path) -> None:
    """Write a figure as PNG on white, without the name of the software or the time."""
    with replacing_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=144, facecolor="white", metadata={"Software": None})
