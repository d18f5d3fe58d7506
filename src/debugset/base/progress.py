"""Progress of long work: a bar on a terminal, else a line every half minute with rate and time left."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 30.0
_SECONDS_BETWEEN_DRAWINGS = 0.5
_LINE = "{desc}: {percentage:.0f} %, {n_fmt} of {total_fmt}{unit}, {rate_noinv_fmt}, {remaining} left{postfix}"
_LINE_WITHOUT_TOTAL = "{desc}: {n_fmt}{unit}, {rate_noinv_fmt}{postfix}"


class _Lines(tqdm):
    """Each state on a line of its own: a log is read later, and a bar redrawn in it is hundreds of lines."""

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Print the state, where tqdm's own would go back to the line's beginning."""
        if msg == "":  # tqdm's way to clear a bar
            return
        is_total_known = self.total and self.n <= self.total
        self.bar_format = _LINE if is_total_known else _LINE_WITHOUT_TOTAL
        line = " ".join(str(self).split())  # tqdm pads the rate
        self.fp.write(f"{line}\n")
        self.fp.flush()

    def close(self) -> None:
        """Print the last state, unless nothing was printed before: what ends within half a minute needs no line."""
        if self.disable:
            return
        is_shown = self.last_print_t >= self.start_t + _SECONDS_BETWEEN_LINES
        if is_shown and self.last_print_n < self.n:
            self.display()
        self.delay = float("inf")  # so that tqdm takes it for never shown, and clears nothing
        super().close()


def progress(
    items: Iterable[Any] | None = None, what: str = "", total: int | None = None, unit: str = "items", **options: Any
) -> tqdm:
    """Count what is done and show it on stderr; the rate is the mean since the beginning.

    Args:
        items: None if the caller calls ``update``.
        what: is being done, before the numbers.
        total: how much there is to do, where ``items`` does not tell.
        options: of tqdm, such as ``initial`` and ``disable``.
    """
    options |= {"unit": f" {unit.strip()}", "smoothing": 0}  # tqdm writes a unit right behind its number
    if sys.stderr.isatty():
        return tqdm(items, what, total, mininterval=_SECONDS_BETWEEN_DRAWINGS, **options)
    options |= {"mininterval": _SECONDS_BETWEEN_LINES, "delay": _SECONDS_BETWEEN_LINES}
    options["miniters"] = 1  # look at the clock at each item: by default tqdm guesses when, and may print between
    return _Lines(items, what, total, **options)
