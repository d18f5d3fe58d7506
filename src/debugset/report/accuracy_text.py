"""The accuracy table as text, for a terminal."""

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


def _title(column: str) -> str:
    return f"{COLUMNS[column]} (all)" if column.endswith("_all") else COLUMNS[column]


def _percent(cell: dict[str, Any] | None) -> str:
    return f"{100 * cell['accuracy']:.1f}" if cell else "-"
