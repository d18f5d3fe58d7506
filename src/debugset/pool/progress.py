"""How far a phase of a scrape is: a bar for who watches, and a note in the spool for who asks later."""

import time
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

from debugset.base.progress import progress
from debugset.pool.spool import Progress, Spool

_SECONDS_BETWEEN_NOTES = 1.0


class Meter:
    """Counts what is done of a phase, in the spool at most once a second; use it as a context.

    Args:
        phase, total, before: of `debugset.pool.spool.Progress`.
        unit: what is counted.
        now: gives unix seconds.
    """

    def __init__(
        self, spool: Spool, phase: str, unit: str, total: int, before: int = 0, now: Callable[[], float] = time.time
    ) -> None:
        self._spool, self._now = spool, now
        self._progress = Progress(phase, now(), now(), before, before, total)
        self._bar: tqdm[Any] = progress(what=phase, unit=unit, total=total, initial=before)
        self._bar.miniters = 0  # what is noted is shown in its turn, though nothing more is done

    def __enter__(self) -> "Meter":
        self._spool.save_progress(self._progress)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
        self._spool.save_progress(self._progress._replace(updated=self._now()))

    def note(self, text: str) -> None:
        """Say something behind the numbers, also while nothing more is done."""
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(0)

    def update(self, *, known: bool = False) -> None:
        """One more is done; ``known`` if an earlier run did it, so that it tells nothing of this run's pace."""
        if known:
            self._progress = self._progress._replace(before=self._progress.before + 1)
            if not self._bar.disable:  # else it has no such number
                self._bar.initial += 1
        self._bar.update()
        self._progress = self._progress._replace(done=self._progress.done + 1)
        now = self._now()
        if now - self._progress.updated >= _SECONDS_BETWEEN_NOTES:
            self._progress = self._progress._replace(updated=now)
            self._spool.save_progress(self._progress)
