"""Asking every query in every upload window."""

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from debugset.pool.flickr.client import EXTRAS, Flickr, Unavailable
from debugset.pool.limits import Turns, ask_patiently
from debugset.pool.params import ScrapeParams
from debugset.pool.spool import Spool
from debugset.pool.windows import Page, Window, bisect, take_results, window_of


class Caller:
    """Asks a service for pages of searches: each call in its turn, and again while the service is unavailable.

    A pause that the service asks for holds all calls. ``longest``: rows of the longest page so far.
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
    run goes on as it began whatever the service would say now. ``calls``: pages that were asked for.
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
        key, cap, per_page = self._key, self._params.result_cap, self._params.per_page
        total = self._spool.total(key, first, last)
        if total is None:
            ask = partial(self._ask, first, last)
            total, photos = await take_results(ask, first, last, cap, per_page, lambda: self._caller.longest)
            if photos is None:
                self._spool.save_total(key, first, last, total)
            else:
                self._spool.save_photos(key, first, last, total, photos)
        if not self._spool.has_photos(key, first, last):
            return None
        return window_of(first, last, total, cap, lambda: self._spool.photos(key, first, last) or [])

    async def _ask(self, first: int, last: int, page: int) -> Page:
        self.calls += 1
        licences, per_page = self._params.licence_ids, self._params.per_page
        return await self._caller.page(self._text, licences, first, last, page, per_page)


def search_key(text: str, params: ScrapeParams) -> str:
    """What names a search in the spool: all of it but the upload window."""
    asked = {"text": text, "licences": sorted(params.licence_ids), "extras": EXTRAS}
    return json.dumps(asked | {"per_page": params.per_page, "result_cap": params.result_cap})


def count_photos(windows: Sequence[Window]) -> int:
    """How many photos windows gave."""
    return sum(window.photos for window in windows)
