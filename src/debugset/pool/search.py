"""Asking every query in every upload window, and reading the answers as one table."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
import stamina
from tqdm import tqdm

from debugset.pool.flickr import EXTRAS, Flickr, Page, Unavailable
from debugset.pool.params import ScrapeParams
from debugset.pool.spool import Spool
from debugset.pool.windows import ShardWindow, Window, bisect, shard_windows

FOUND_COLUMNS = ["id", "class_name", "query", "shard", "title", "tags", "licence", "owner", "owner_name"]
FOUND_COLUMNS += ["uploaded", "page", "url", "fault"]
_ATTEMPTS = 6


class Asked(NamedTuple):
    """One query's windows in one shard's upload window."""

    class_name: str
    query: str
    shard: ShardWindow
    windows: list[Window]


class Search:
    """One query at one service; what the spool holds is not asked again.

    Args:
        text: what is searched for.
        client: the service's client.
        spool: the service's spool.
        params: the section ``scrape``.
    """

    def __init__(self, text: str, client: Flickr, spool: Spool, params: ScrapeParams) -> None:
        self.key = json.dumps({"text": text, "licences": params.licences, "extras": EXTRAS})
        self._text, self._client, self._spool, self._params = text, client, spool, params
        self._first_pages: dict[tuple[int, int], Page] = {}

    async def windows(self, first: int, last: int, wanted: int | None = None) -> list[Window]:
        """The windows whose results can be taken, oldest first, with their photos fetched into the spool.

        Args:
            first: the earliest upload time, unix seconds.
            last: the latest, inclusive.
            wanted: stop once the windows hold that many photos; None takes all.
        """
        windows: list[Window] = []
        if wanted is not None and wanted <= 0:
            return windows
        async for window in bisect(self._count, first, last, self._params.result_cap):
            await self._fetch(window)
            windows.append(window)
            if wanted is not None and photos_in(windows) >= wanted:
                break
        return windows

    def photos(self, window: Window) -> list[dict[str, Any]]:
        """The photos of a window, as the service sent them."""
        photos = self._spool.photos(self.key, window.first, window.last)
        assert photos is not None
        return photos

    async def _count(self, first: int, last: int) -> int:
        total = self._spool.total(self.key, first, last)
        if total is None:
            page = self._first_pages[first, last] = await self._page(first, last, 1)
            total = page.total
            if total >= self._params.result_cap and first < last:
                del self._first_pages[first, last]  # this window is halved, its photos come from the halves
            self._spool.save_total(self.key, first, last, total)
        return total

    async def _fetch(self, window: Window) -> None:
        first, last = window.first, window.last
        if self._spool.has_photos(self.key, first, last):
            return
        reachable = min(window.total, self._params.result_cap)
        page = self._first_pages.pop((first, last), None) or await self._page(first, last, 1)
        photos = {str(photo["id"]): photo for photo in page.photos}
        for number in range(2, -(-reachable // self._params.per_page) + 1):
            page = await self._page(first, last, number)
            photos.update({str(photo["id"]): photo for photo in page.photos})
        self._spool.save_photos(self.key, first, last, window.total, list(photos.values()))

    async def _page(self, first: int, last: int, number: int) -> Page:
        arguments = (self._text, self._params.licences, first, last, number, self._params.per_page)
        async for attempt in stamina.retry_context(on=Unavailable, attempts=_ATTEMPTS, timeout=None):
            with attempt:
                return await asyncio.to_thread(self._client.search, *arguments)
        raise AssertionError("retry_context returns or raises")


async def ask_all(
    queries: Mapping[str, Sequence[str]], client: Flickr, spool: Spool, params: ScrapeParams, connections: int
) -> list[Asked]:
    """Ask every query in the window of every shard: a later snapshot then asks only its new shards' windows.

    Args:
        queries: class name -> its synonyms.
        client: the service's client.
        spool: the service's spool.
        params: the section ``scrape``.
        connections: how many calls run at a time.

    Returns:
        What was asked, in the order of classes, queries and shards.
    """
    shards = shard_windows(params.since, params.snapshot, params.shard)
    free = asyncio.Semaphore(connections)
    with tqdm(
        desc="searching", unit="window", disable=None, total=sum(map(len, queries.values())) * len(shards)
    ) as progress:

        async def ask(class_name: str, text: str) -> list[Asked]:
            left, asked = params.per_query, []
            for shard in shards:
                async with free:
                    windows = await Search(text, client, spool, params).windows(shard.first, shard.last, left)
                left = None if left is None else left - photos_in(windows)
                asked.append(Asked(class_name, text, shard, windows))
                progress.update()
            return asked

        answers = await asyncio.gather(*(ask(name, text) for name, texts in queries.items() for text in texts))
        return [one for asked in answers for one in asked]


def photos_in(windows: Sequence[Window]) -> int:
    """How many photos can be had from windows."""
    return sum(window.total - window.lost for window in windows)


def found(asked: Sequence[Asked], client: Flickr, spool: Spool, params: ScrapeParams) -> pd.DataFrame:
    """The photos that searches found: one row a photo and query, with `FOUND_COLUMNS`.

    Of each query the oldest ``per_query`` are taken. ``url`` is the address of the chosen size; where there is
    none, ``fault`` says why.
    """
    rows = [
        (str(photo["id"]), class_name, text, shard.name, *_described(photo, window, params))
        for class_name, text, shard, windows in asked
        for window in windows
        for photo in Search(text, client, spool, params).photos(window)
    ]
    table = pd.DataFrame(rows, columns=FOUND_COLUMNS)
    if params.per_query is None:
        return table
    oldest_first = table.sort_values(["uploaded", "id"], kind="stable")
    return oldest_first.groupby("query", sort=False).head(params.per_query).sort_index(ignore_index=True)


def choose_size(photo: Mapping[str, Any], sizes: Sequence[str], min_side: int) -> tuple[str, str]:
    """The address of the first wished size that exists and is large enough.

    Args:
        photo: a photo of a search, with ``url_<size>, width_<size>, height_<size>`` for the sizes that exist.
        sizes: suffixes in the order wished.
        min_side: the least length of the shorter side, in pixels; a size of unknown length is tried.

    Returns:
        Address and "", or "" and the fault: ``no_size`` or ``too_small``.
    """
    listed = [size for size in sizes if photo.get(f"url_{size}")]
    for size in listed:
        sides = [int(photo.get(f"{side}_{size}") or min_side) for side in ("width", "height")]
        if min(sides) >= min_side:
            return str(photo[f"url_{size}"]), ""
    return "", "too_small" if listed else "no_size"


def _described(photo: Mapping[str, Any], window: Window, params: ScrapeParams) -> tuple[Any, ...]:
    owner, uploaded, licence = str(photo["owner"]), int(photo["dateupload"]), int(photo["license"])
    url, fault = choose_size(photo, params.sizes, params.min_side)
    if params.licences is not None and licence not in params.licences:
        fault = "licence"
    if not window.first <= uploaded <= window.last:
        fault = "outside_window"
    texts = [str(photo.get(name) or "") for name in ("title", "tags")]
    page = f"https://www.flickr.com/photos/{owner}/{photo['id']}"
    return *texts, licence, owner, str(photo.get("ownername") or ""), uploaded, page, url, fault
