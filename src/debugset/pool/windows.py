"""Upload windows: the calendar windows that shards hold, and their bisection until one page of a search gives all.

A search gives out its first ``cap`` results at most, in an order that may change from call to call, and its total is
a guess. So pages of one search never add up reliably; halving the window of upload dates until a single page holds
all of it does. Windows are pairs of unix seconds (UTC), both ends inclusive.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any, Literal, NamedTuple

from debugset.pool.names import is_name

Shard = Literal["year", "month"]
Photo = dict[str, Any]
_SHARD_NAMES = {"year": "%Y", "month": "%Y-%m"}
_SHOWN_AT_LEAST = 0.9  # of what is to be shown; the rest may be photos that nobody may see
_QUIET_SWEEPS = 16  # in a random order a page more or less shows a given photo in two of three sweeps


class ShardWindow(NamedTuple):
    """The upload window of one shard: its name (``2019`` or ``2019-07``), first and last second."""

    name: str
    first: int
    last: int


class Window(NamedTuple):
    """A window whose results were taken: first and last second, how many photos it gave, how many are out of reach."""

    first: int
    last: int
    photos: int
    lost: int


class Page(NamedTuple):
    """One page of a search: the whole search's total, and this page's photos as the service sent them."""

    total: int
    photos: list[Photo]


Ask = Callable[[int], Awaitable[Page]]  # gives a page by its number, from 1


class Results(NamedTuple):
    """What a search in an upload window gave.

    Attributes:
        total: how many photos the window gave; more than the result cap where there are more than it lets out.
            Or the service's guess, where the window must be halved.
        photos: all that can be had, oldest first, and what else came with them; None if the window must be halved.
    """

    total: int
    photos: list[Photo] | None


def ends_window(day: date, shard: Shard) -> bool:
    """Whether ``day`` is the last day of a shard's window."""
    following = day + timedelta(days=1)
    return following.year != day.year if shard == "year" else following.month != day.month


def shard_windows(since: date, snapshot: date, shard: Shard) -> list[ShardWindow]:
    """The windows of all shards from ``since`` to ``snapshot``, both inclusive, oldest first."""
    windows, first = [], since
    for day in map(date.fromordinal, range(since.toordinal(), snapshot.toordinal() + 1)):
        if day == snapshot or ends_window(day, shard):
            following = day + timedelta(days=1)
            windows.append(ShardWindow(day.strftime(_SHARD_NAMES[shard]), _midnight(first), _midnight(following) - 1))
            first = following
    return windows


async def bisect(take: Callable[[int, int], Awaitable[Window | None]], first: int, last: int) -> AsyncIterator[Window]:
    """Halve an upload window until the results of each part can be taken; the parts, oldest first, without a gap.

    ``take`` takes the results between two seconds, both inclusive, and gives None if there are too many; it takes a
    single second always.
    """
    pending = [(first, last)]
    while pending:
        first, last = pending.pop()
        window = await take(first, last)
        if window is not None:
            yield window
        else:
            middle = (first + last) // 2
            pending += [(middle + 1, last), (first, middle)]


async def take_results(
    ask: Ask, first: int, last: int, cap: int, per_page: int, longest: Callable[[], int] = lambda: 0
) -> Results:
    """Take the results of a search in an upload window, if one page gives them all.

    A page gives all if it is not full, nothing on it speaks against its total, and the total fits on a page. A
    single second cannot be halved: all its pages are asked for, again and again, until nothing new comes.

    Args:
        ask: gives a page by its number, from 1.
        first, last: the window's first and last second.
        cap: how many results of a search can be had.
        per_page: results a page.
        longest: gives the rows of the longest page that the service has ever sent.
    """
    page = await ask(1)
    complete = _gives_all(page, first, last, min(cap, per_page))
    if complete and not await _holds_back(ask, page, first, last, longest()):
        return Results(count_inside(page.photos, first, last), _distinct(page.photos))
    if first < last:
        return Results(page.total, None)
    return await _sweep(ask, page, first, cap, per_page)


def window_of(first: int, last: int, total: int, cap: int, photos: Callable[[], list[Photo]]) -> Window:
    """The window of `Results` that were taken; its photos are asked for only where the total does not count them."""
    if total <= cap:
        return Window(first, last, total, 0)
    return Window(first, last, count_inside(photos(), first, last), total - cap)


def upload_time(photo: Mapping[str, Any]) -> int | None:
    """When a photo was uploaded, unix seconds; None if it does not say."""
    try:
        return int(photo.get("dateupload") or 0) or None
    except (TypeError, ValueError):
        return None


def count_inside(photos: Iterable[Photo], first: int, last: int) -> int:
    """How many different photos were uploaded between two seconds."""
    return len({str(photo["id"]) for photo in _valid(photos) if first <= (upload_time(photo) or -1) <= last})


def _gives_all(page: Page, first: int, last: int, limit: int) -> bool:
    if len(page.photos) >= limit or page.total > limit:
        return False
    inside, valid = count_inside(page.photos, first, last), _valid(page.photos)
    different = len(_distinct(valid))
    if first < last and inside > page.total:
        return False
    # Rows that came twice may have pushed others off, unless the total knows of no more.
    return different == len(valid) or page.total in (different, inside)


async def _holds_back(ask: Ask, page: Page, first: int, last: int, longest: int) -> bool:
    """Whether a page that shows fewer photos than its total has shown too few.

    Some are always missing, for the service counts before it leaves out what nobody may see. But it may also
    give shorter pages than it was asked for, or have had a bad moment: then the next page has more, or the same one.
    A page is not cut short if the service has sent a longer one; that saves nearly all of these calls.
    """
    shown = count_inside(page.photos, first, last)
    if shown >= page.total or (shown >= _SHOWN_AT_LEAST * page.total and len(page.photos) < longest):
        return False
    following, same = await ask(2), await ask(1)
    return count_inside([*page.photos, *following.photos, *same.photos], first, last) > shown


async def _sweep(ask: Ask, page: Page, second: int, cap: int, per_page: int) -> Results:
    """Take the results of a single second: all pages, again and again, until nothing new comes."""
    photos, total = list(page.photos), page.total
    shown, quiet = count_inside(photos, second, second), 0
    while shown < cap and quiet < (1 if shown == total else _QUIET_SWEEPS):
        photos = await _ask_all_pages(ask, photos, min(total, cap), cap, per_page)
        before, shown = shown, count_inside(photos, second, second)
        quiet = 0 if shown > before else quiet + 1
    # Of the first results that the cap lets out, some may be photos that nobody may see.
    is_full = shown >= cap or (total > cap and shown >= _SHOWN_AT_LEAST * cap)
    return Results(max(shown, total) if is_full else shown, _distinct(photos))


async def _ask_all_pages(ask: Ask, photos: list[Photo], total: int, cap: int, per_page: int) -> list[Photo]:
    """Photos with those of all pages added, up to an empty one past the total, or one past the cap without any news."""
    for number in count(1):
        page, before = await ask(number), len(photos)
        photos = _distinct([*photos, *page.photos])
        is_past_the_end = not page.photos and number * per_page >= total
        is_past_the_cap = len(photos) == before and number * per_page >= cap
        if is_past_the_end or is_past_the_cap:
            break
    return photos


def _distinct(photos: Sequence[Photo]) -> list[Photo]:
    """Each photo once, as it came first; oldest first."""
    different = {str(photo["id"]): photo for photo in reversed(_valid(photos))}
    return sorted(different.values(), key=lambda photo: (upload_time(photo) or 0, str(photo["id"])))


def _valid(photos: Iterable[Photo]) -> list[Photo]:
    """The photos with an id; other rows are passed over."""
    return [photo for photo in photos if is_name(str(photo.get("id") or ""))]


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())
