"""Progress of long work: a bar on a terminal, else a line every half minute with rate and time left."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 30.0
SECONDS_BETWEEN_DRAWINGS = 0.5
LINE = "{desc}: {percentage:3.0f} %, {n_fmt} of {total_fmt}{unit}, {rate_fmt}, {remaining} left{postfix}"


class _Lines(tqdm):
    """Each state on a line of its own: a log is read later, and a bar redrawn in it is hundreds of lines."""

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Print the state; tqdm's own would go back to the line's beginning. An empty one is its way to clear a bar."""
        text = str(self) if msg is None else msg
        if text:
            self.fp.write(f"{text}\n")
            self.fp.flush()

    def close(self) -> None:
        """Print the last state, unless nothing was printed before: what ends within half a minute needs no line."""
        shown = self.last_print_t >= self.start_t + SECONDS_BETWEEN_LINES
        if not self.disable and shown and self.last_print_n < self.n:
            self.display()
        self.delay = float("inf")  # so that tqdm takes it for never shown, and clears nothing
        super().close()


def progress(items: Iterable[Any] | None = None, what: str = "", total: int | None = None, **options: Any) -> tqdm:
    """Count what is done and show it on stderr.

    Args:
        items: are passed on as they come; None if the caller calls ``update``.
        what: is being done, before the numbers.
        total: how much there is to do, where ``items`` does not tell.
        options: of tqdm, such as ``unit``, ``initial`` and ``disable``.
    """
    if sys.stderr.isatty():
        return tqdm(items, what, total, mininterval=SECONDS_BETWEEN_DRAWINGS, **options)
    pace: dict[str, Any] = {"mininterval": SECONDS_BETWEEN_LINES, "delay": SECONDS_BETWEEN_LINES}
    return _Lines(items, what, total, bar_format=LINE, file=sys.stderr, **pace, **options)
