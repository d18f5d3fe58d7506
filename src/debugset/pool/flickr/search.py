"""Asking every query in every upload window."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

from debugset.pool.flickr.client import EXTRAS, Flickr, Unavailable
from debugset.pool.limits import Turns, ask_patiently
from debugset.pool.params import ScrapeParams
from debugset.pool.progress import Meter
from debugset.pool.source import SearchRecord
from debugset.pool.spool import Spool
from debugset.pool.windows import Page, Window, bisect, shard_windows, take_results, window_of


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
            page, _ = await ask_patiently(lambda: self._call(arguments), Unavailable)
        except Unavailable as error:
            raise OSError(f"{error}; run again: what is whole is not asked again") from None
        self.longest = max(self.longest, len(page.photos))
        return page

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
            if wanted is not None and count_photos(windows) >= wanted:
                break
        return windows

    async def _take(self, first: int, last: int) -> Window | None:
        cap = self._params.result_cap
        read_photos = partial(self._read_photos, first, last)
        total = self._spool.total(self._key, first, last)
        if total is not None:
            was_taken = self._spool.has_photos(self._key, first, last)
            return window_of(first, last, total, cap, read_photos) if was_taken else None
        ask = partial(self._ask, first, last)
        results = await take_results(ask, first, last, cap, self._params.per_page, lambda: self._caller.longest)
        if results.photos is None:
            self._spool.save_total(self._key, first, last, results.total)
            return None
        self._spool.save_photos(self._key, first, last, results.total, results.photos)
        return window_of(first, last, results.total, cap, read_photos)

    def _read_photos(self, first: int, last: int) -> list[dict[str, Any]]:
        return self._spool.photos(self._key, first, last) or []

    async def _ask(self, first: int, last: int, page: int) -> Page:
        self.calls += 1
        licences, per_page = self._params.licence_ids, self._params.per_page
        return await self._caller.page(self._text, licences, first, last, page, per_page)


async def search_all(
    queries: Mapping[str, Sequence[str]],
    caller: Caller,
    spool: Spool,
    params: ScrapeParams,
    connections: int,
    now: Callable[[], float],
) -> list[SearchRecord]:
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

        async def ask(class_name: str, text: str) -> list[SearchRecord]:
            left, records = params.per_query, []
            for shard in shards:
                search = Search(text, caller, spool, params)
                async with free:
                    windows = await search.windows(shard.first, shard.last, left)
                if left is not None:
                    left -= count_photos(windows)
                records.append(SearchRecord(class_name, text, shard, windows))
                meter.update(known=not search.calls)
            return records

        jobs = []
        for class_name, texts in queries.items():
            jobs += [ask(class_name, text) for text in texts]
        return list(chain.from_iterable(await asyncio.gather(*jobs)))


def search_key(text: str, params: ScrapeParams) -> str:
    """What names a search in the spool: all of it but the upload window."""
    asked = {"text": text, "licences": sorted(params.licence_ids), "extras": EXTRAS}
    return json.dumps(asked | {"per_page": params.per_page, "result_cap": params.result_cap})


def count_photos(windows: Sequence[Window]) -> int:
    """How many photos windows gave."""
    return sum(window.photos for window in windows)
