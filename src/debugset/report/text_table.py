"""The accuracy table as text, for a terminal."""

from typing import Any

from debugset.report.inputs import VARIANTS

COLUMNS = {
    "seed": "seed",
    "heldout": "held-out",
    "seed_source": "seed_source",
    "heldout_source": "heldout_source",
    "test": "test",
    "seed_source_all": "seed_source",
    "heldout_source_all": "heldout_source",
    "test_all": "test",
    "deval": "de-val",
}
GAINED = {"heldout": "held-out failures, %", "seed": "seeds, %", "deval": "de-val, %"}
KEPT = {
    "heldout_source": "heldout_source, debug classes, %",
    "test": "test, debug classes, %",
    "test_all": "test, all classes, %",
}


def accuracy_table(variants: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Accuracies as text, a row a variant and a column a set, with the held-out failures' 95 % interval."""
    columns = [column for column in COLUMNS if any(column in cells for cells in variants.values())]
    headings = [f"{COLUMNS[column]}{' (all)' * column.endswith('_all')}" for column in columns]
    rows = [["accuracy, %", *headings, "held-out 95 %"]]
    for variant in (name for name in VARIANTS if name in variants):
        cells = variants[variant]
        accuracies = [f"{100 * cells[column]['accuracy']:.1f}" if column in cells else "-" for column in columns]
        rows.append([variant, *accuracies, _interval(cells.get("heldout"))])
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = ["  ".join(map(str.rjust, row, widths)) for row in rows]
    return "\n".join([*lines, "(all): all classes; the other columns: the debug classes"])


def _interval(cell: dict[str, Any] | None) -> str:
    return f"{100 * cell['low']:.1f} to {100 * cell['high']:.1f}" if cell else "-"
