"""The accuracy table as text, for a terminal."""

import json
from typing import Any

from debugset.base.text_table import text_table
from debugset.report.headings import COLUMNS, VARIANT_ORDER


def accuracy_text(variants: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Accuracies as text, a row a variant and a column a set, with the held-out failures' 95 % interval.

    Args:
        variants: variant -> column -> accuracy, low, high, as in metrics/accuracy.json.
    """
    measured = set().union(*variants.values())
    columns = [column for column in COLUMNS if column in measured]
    heading = ["accuracy, %", *map(_title, columns), "held-out 95 %"]
    rows = []
    for variant in VARIANT_ORDER:
        if variant in variants:
            cells = variants[variant]
            accuracies = [_percent(cells.get(column)) for column in columns]
            heldout = cells.get("heldout")
            interval = f"{100 * heldout['low']:.1f} to {100 * heldout['high']:.1f}" if heldout else "-"
            rows.append([variant, *accuracies, interval])
    table = text_table(heading, rows, justify="right")
    return f"{table}\n(all): all classes; the other columns: the debug classes"


def read_accuracies(text: str, where: str, mend: str) -> dict[str, Any]:
    """What a file metrics/accuracy.json says; a ValueError names where the text is from if it is of another kind."""
    try:
        content = json.loads(text)
        for cells in content["variants"].values():
            for cell in cells.values():
                if not all(isinstance(cell[key], float | int) for key in ("accuracy", "low", "high")):
                    raise TypeError(cell)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(f"{where}: is not what stage report writes; {mend}") from None
    return content


def _title(column: str) -> str:
    return f"{COLUMNS[column]} (all)" if column.endswith("_all") else COLUMNS[column]


def _percent(cell: dict[str, Any] | None) -> str:
    return f"{100 * cell['accuracy']:.1f}" if cell else "-"
