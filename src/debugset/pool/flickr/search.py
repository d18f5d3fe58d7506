"""Asking every query in every upload window, and reading the answers as one table."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from debugset.pool.flickr.client import EXTRAS, Flickr, Unavailable
from debugset.pool.limits import Turns, patiently
from debugset.pool.params import ScrapeParams
from debugset.pool.progress import Meter
from debugset.pool.source import FOUND_COLUMNS, STATES_NO_LICENCE, Asked
from debugset.pool.spool import Spool
from debugset.pool.text_search import clean_text
from debugset.pool.windows import Page, Window, bisect, shard_windows, take, upload_time, window_of

# The longest side in pixels of each size (https://www.flickr.com/services/api/misc.urls.html); an original has any.
_NOMINAL = {"o": 10**9, "k": 2048, "h": 1600, "l": 1024, "c": 800, "z": 640, "m": 500, "n": 320, "s": 240}
_NOMINAL |= {"q": 150, "t": 100, "sq": 75}


class Caller:
    """Asks a service for pages of searches: each call in its turn, and again while the service is unavailable.

    Args:
        client: the service's client.
        turns: says when a call may go out; a pause that the service asks for holds all of them.

    Attributes:
        longest: rows of the longest page so far.
    """

    def __init__(self, client: Flickr, turns: Turns) -> None:
        self._client, self._turns = client, turns
        self.longest = 0

    async def page(self, *arguments: Any) -> Page:
        """One page; the arguments are those of `Flickr.search`.

        Raises:
            OSError: there was no answer in many attempts, or the service asks to be left alone for over an hour.
            ValueError: the service refused the key or the call.
        """
        try:
            page, _ = await patiently(lambda: self._call(arguments), Unavailable)
            self.longest = max(self.longest, len(page.photos))
            return page
        except Unavailable as error:
            raise OSError(f"{error}; run again: what is whole is not asked again") from None

    async def _call(self, arguments: tuple[Any, ...]) -> Page:
        await self._turns.turn()
        try:
            return await asyncio.to_thread(self._client.search, *arguments)
        except Unavailable as error:
            if error.retry_after is not None:
                self._turns.pause(error.retry_after)
            raise


class Search:
    """One query at one service; what the spool holds is not asked again.

    The spool keeps of each upload window whether it was halved (a total alone) or taken (with photos), so that a
    run goes on as it began whatever the service would say now.

    Args:
        text: what is searched for.
        caller: asks the service.
        spool: the service's spool.
        params: the section ``scrape``.

    Attributes:
        calls: pages that were asked for.
    """

    def __init__(self, text: str, caller: Caller, spool: Spool, params: ScrapeParams) -> None:
        self.calls = 0
        self._key = search_key(text, params)
        self._text, self._caller, self._spool, self._params = text, caller, spool, params

    async def windows(self, first: int, last: int, wanted: int | None = None) -> list[Window]:
        """The windows that give all results between two moments, oldest first, with their photos in the spool.

        Args:
            first: the earliest upload time, unix seconds.
            last: the latest, inclusive.
            wanted: stop once the windows hold that many photos; None takes all.
        """
        windows: list[Window] = []
        if wanted is not None and wanted <= 0:
            return windows
        async for window in bisect(self._take, first, last):
            windows.append(window)
            if wanted is not None and photos_in(windows) >= wanted:
                break
        return windows

    async def _take(self, first: int, last: int) -> Window | None:
        cap, photos_here = self._params.result_cap, partial(self._photos, first, last)
        total = self._spool.total(self._key, first, last)
        if total is not None:
            taken = self._spool.has_photos(self._key, first, last)
            return window_of(first, last, total, cap, photos_here) if taken else None
        per_page, longest = self._params.per_page, lambda: self._caller.longest
        total, photos = await take(partial(self._ask, first, last), first, last, cap, per_page, longest)
        if photos is None:
            self._spool.save_total(self._key, first, last, total)
            return None
        self._spool.save_photos(self._key, first, last, total, photos)
        return window_of(first, last, total, cap, photos_here)

    def _photos(self, first: int, last: int) -> list[dict[str, Any]]:
        return self._spool.photos(self._key, first, last) or []

    async def _ask(self, first: int, last: int, page: int) -> Page:
        self.calls += 1
        licences, per_page = self._params.licence_ids, self._params.per_page
        return await self._caller.page(self._text, licences, first, last, page, per_page)


async def ask_all(
    queries: Mapping[str, Sequence[str]],
    caller: Caller,
    spool: Spool,
    params: ScrapeParams,
    connections: int,
    now: Callable[[], float],
) -> list[Asked]:
    """Ask every query in the window of every shard, until it has given ``per_query`` photos.

    Args:
        queries: class name -> its synonyms.
        caller: asks the service.
        spool: takes the answers; what it holds is not asked again.
        params: the section ``scrape``.
        connections: how many searches are under way at a time.
        now: gives unix seconds.

    Returns:
        What was asked, in the order of classes, queries and shards.
    """
    shards = shard_windows(params.since, params.snapshot, params.shard)
    free = asyncio.Semaphore(connections)
    total = sum(map(len, queries.values())) * len(shards)
    with Meter(spool, "searching", "search", total, now=now) as meter:

        async def ask(class_name: str, text: str) -> list[Asked]:
            left, asked = params.per_query, []
            for shard in shards:
                search = Search(text, caller, spool, params)
                async with free:
                    windows = await search.windows(shard.first, shard.last, left)
                left = None if left is None else left - photos_in(windows)
                asked.append(Asked(class_name, text, shard, windows))
                meter.update(known=not search.calls)
            return asked

        answers = await asyncio.gather(*(ask(name, text) for name, texts in queries.items() for text in texts))
        return [one for asked in answers for one in asked]


def search_key(text: str, params: ScrapeParams) -> str:
    """What names a search in the spool: all of it but the upload window."""
    asked = {"text": text, "licences": sorted(params.licence_ids), "extras": EXTRAS}
    return json.dumps(asked | {"per_page": params.per_page, "result_cap": params.result_cap})


def photos_in(windows: Sequence[Window]) -> int:
    """How many photos windows gave."""
    return sum(window.found for window in windows)


def found(asked: Sequence[Asked], spool: Spool, params: ScrapeParams) -> pd.DataFrame:
    """The photos that searches found: one row a photo and query, with `FOUND_COLUMNS`.

    Of each query the oldest ``per_query`` are taken; rows from outside their upload window come besides. ``fault``
    says why a photo cannot be taken: ``incomplete`` (it names no owner or upload date), ``outside_window``,
    ``licence``, or as `candidates` says.

    Args:
        asked: the searches.
        spool: holds their photos.
        params: the section ``scrape``.
    """
    rows = [
        (str(photo["id"]), class_name, text, shard.name, *_described(photo, window, params))
        for class_name, text, shard, windows in asked
        for window in windows
        for photo in spool.photos(search_key(text, params), window.first, window.last) or []
    ]
    table = pd.DataFrame(rows, columns=FOUND_COLUMNS)
    besides = (table["fault"] == "outside_window") | (table["uploaded"] == 0)
    inside = table[~besides]
    if params.per_query is not None:
        oldest_first = inside.sort_values(["uploaded", "id"], kind="stable")
        inside = oldest_first.groupby("query", sort=False).head(params.per_query)
    return pd.concat([inside, table[besides]]).drop_duplicates(["query", "id"]).sort_index().reset_index(drop=True)


def candidates(photo: Mapping[str, Any], sizes: Sequence[str], side: int, min_side: int) -> tuple[tuple[str, ...], str]:
    """The addresses of a photo's file, in the order in which they are to be tried.

    First the smallest size that reaches the wished side, then the larger ones ascending, then the smaller ones
    descending. Of a size of unknown lengths Flickr's longest side counts, for it is the best that can be hoped for.

    Args:
        photo: a photo of a search, with ``url_<size>, width_<size>, height_<size>`` for the sizes that exist.
        sizes: suffixes of the sizes that may be taken.
        side: the wished length of the shorter side, in pixels.
        min_side: the least length of the shorter side, in pixels.

    Returns:
        Addresses and "", or none and the fault: ``no_size`` or ``too_small``.
    """
    lengths: dict[str, int] = {}
    for size in sizes:
        if url := photo.get(f"url_{size}"):
            lengths.setdefault(str(url), _shorter_side(photo, size))
    fit = [url for url in lengths if lengths[url] >= min_side]
    if not fit:
        return (), "too_small" if lengths else "no_size"
    larger = sorted((url for url in fit if lengths[url] >= side), key=lengths.__getitem__)
    smaller = sorted((url for url in fit if lengths[url] < side), key=lengths.__getitem__, reverse=True)
    return (*larger, *smaller), ""


def _shorter_side(photo: Mapping[str, Any], size: str) -> int:
    sides = [_whole(photo.get(f"{side}_{size}")) for side in ("width", "height")]
    return min(sides) if min(sides) > 0 else _NOMINAL[size]


def _described(photo: Mapping[str, Any], window: Window, params: ScrapeParams) -> tuple[Any, ...]:
    photo = {name: clean_text(value) if isinstance(value, str) else value for name, value in photo.items()}
    owner, uploaded = str(photo.get("owner") or ""), upload_time(photo) or 0
    licence = _whole(photo.get("license"), STATES_NO_LICENCE)
    urls, fault = candidates(photo, params.sizes, params.side, params.min_side)
    if ("unknown" if licence == STATES_NO_LICENCE else licence) not in params.licences:
        fault = "licence"
    if not window.first <= uploaded <= window.last:
        fault = "outside_window"
    if not owner or not uploaded:
        fault = "incomplete"
    texts = [str(photo.get(name) or "") for name in ("title", "tags")]
    page = f"https://www.flickr.com/photos/{owner}/{photo['id']}"
    return *texts, licence, owner, str(photo.get("ownername") or ""), uploaded, page, urls, fault


def _whole(value: Any, otherwise: int = 0) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return otherwise
