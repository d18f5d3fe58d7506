"""Upload windows: the calendar windows that shards hold, and their bisection until a search gives all.

A search gives out its first ``cap`` results at most, whatever its total says. Halving the window of upload
dates until a total is below the cap reaches every photo. Windows are pairs of unix seconds (UTC), both ends
inclusive.
"""

from calendar import monthrange
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple

Shard = Literal["year", "month"]


class ShardWindow(NamedTuple):
    """The upload window of one shard: its name (``2019`` or ``2019-07``), first and last second."""

    name: str
    first: int
    last: int


class Window(NamedTuple):
    """An upload window whose results can be taken: first and last second, its photos, those out of reach."""

    first: int
    last: int
    total: int
    lost: int


def ends_window(day: date, shard: Shard) -> bool:
    """Whether ``day`` is the last day of a shard's window."""
    return day == _last_day(day, shard)


def shard_windows(since: date, snapshot: date, shard: Shard) -> list[ShardWindow]:
    """The windows of all shards from ``since`` to ``snapshot``, both inclusive, oldest first."""
    windows = []
    day = since
    while day <= snapshot:
        last = min(_last_day(day, shard), snapshot)
        name = f"{day:%Y}" if shard == "year" else f"{day:%Y-%m}"
        windows.append(ShardWindow(name, _midnight(day), _midnight(last + timedelta(days=1)) - 1))
        day = last + timedelta(days=1)
    return windows


async def bisect(count: Callable[[int, int], Awaitable[int]], first: int, last: int, cap: int) -> AsyncIterator[Window]:
    """Halve an upload window until each part's total is below the cap.

    Args:
        count: gives the total of a search between two seconds, both inclusive.
        first: the window's first second.
        last: its last second.
        cap: how many results of a search can be had.

    Yields:
        The windows to take, oldest first and without a gap. A single second whose total exceeds the cap
        cannot be halved: it is there with the number of photos that stay out of reach.
    """
    pending = [(first, last)]
    while pending:
        first, last = pending.pop()
        total = await count(first, last)
        if total < cap or first == last:
            yield Window(first, last, total, max(0, total - cap))
        else:
            middle = (first + last) // 2
            pending += [(middle + 1, last), (first, middle)]


def _last_day(day: date, shard: Shard) -> date:
    return date(day.year, 12, 31) if shard == "year" else day.replace(day=monthrange(day.year, day.month)[1])


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
