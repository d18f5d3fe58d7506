"""An error of a sparse layer as one picture: the image, what corrects it, and what the features are strongest in."""

from typing import Any

from matplotlib.axes import Axes

from debugset.report import card
from debugset.report.drawing import BAD, FAINT, GOOD
from debugset.report.explanations import CAVEAT, Explanation


def height(error: Explanation) -> float:
    """The card's height in inches."""
    return card.height(_lines(error), error.lanes)


def draw(panel: Axes, error: Explanation) -> None:
    """Draw a card into one empty panel of `debugset.report.card.WIDTH` by `height` inches."""
    lanes = [lane._replace(title=lane.title.replace(", ", ",\n").replace(": ", ":\n")) for lane in error.lanes]
    card.draw(panel, _lines(error), lanes, image=error.image)


def _lines(error: Explanation) -> list[card.Line]:
    """The lines beside the image with their style."""
    return [
        (f"{error.label}, taken for {error.predicted}", card.TITLE),
        (error.verdict, card.TEXT | {"color": GOOD if error.removed else BAD}),
        (f"for {error.predicted}: {_amounts(error.for_predicted)}", card.TEXT),
        (f"for {error.label}: {_amounts(error.for_true)}", card.TEXT),
        (CAVEAT, card.TEXT | {"color": FAINT}),
    ]


def _amounts(contributions: list[dict[str, Any]]) -> str:
    """Features with what each adds to a logit."""
    words = [f"{one['feature']} ({one['amount']:+.1f})".replace("-", "\N{MINUS SIGN}") for one in contributions]
    return ", ".join(words) or "no feature"
