"""Tables that read the same on a terminal and in a log: no colour, no frame, a line a row."""

from collections.abc import Iterable, Sequence
from typing import Literal

from rich.console import Console
from rich.table import Table

_WIDTH = 10_000  # wider than any row, so that no cell is wrapped or cut


def text_table(
    heading: Sequence[str], rows: Iterable[Sequence[str]], justify: Literal["left", "right"] = "left"
) -> str:
    """Columns of text below their names, two blanks apart; no end of line stands behind the last row."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in heading:
        table.add_column(name, justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(width=_WIDTH, color_system=None, markup=False, emoji=False, highlight=False)
    with console.capture() as lines:
        console.print(table)
    return "\n".join(line.rstrip() for line in lines.get().splitlines())
