"""A photo service as a source: its searches find the photos, its hosts give their files."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import chain

from debugset.pool.files.download import WebSource
from debugset.pool.flickr.client import Flickr
from debugset.pool.flickr.hits import tabulate_hits
from debugset.pool.flickr.search import Caller, Search, count_photos
from debugset.pool.flickr.service import Service
from debugset.pool.limits import Clock, Turns, rate_and_burst
from debugset.pool.params import ScrapeParams
from debugset.pool.progress import Meter
from debugset.pool.source import Findings, SearchRecord
from debugset.pool.spool import Spool
from debugset.pool.windows import shard_windows

_CALLS = "calls"  # the name of the searches' turns in the spool


class PhotoService(WebSource):
    """Flickr, or what stands in for it.

    Args:
        queries: class name -> its synonyms, for the classes that are asked.
        service: who is asked.
        params: the section ``scrape``.
        connections: how many searches, or files of one host, are under way at a time.
        clock: what waits go by.
    """

    def __init__(
        self,
        queries: Mapping[str, Sequence[str]],
        service: Service,
        params: ScrapeParams,
        connections: int,
        clock: Clock,
    ) -> None:
        super().__init__(service.hosts, params, connections, clock)
        self.name = service.name
        self._queries, self._service = queries, service

    def find(self, spool: Spool) -> Findings:
        """Search for the photos; a search that the spool holds is not asked again.

        Raises:
            ValueError: the service refuses the key or the call, or no licence is asked for.
            OSError: the service cannot be reached or asks to be left alone for over an hour.
        """
        if not self._params.licence_ids:
            raise ValueError("scrape.licences: names no licence id, and every photo here has one; add ids")
        turns = Turns(_CALLS, *rate_and_burst(self._service.calls_per_hour), self._clock, spool)
        searches = asyncio.run(self._search_all(Caller(Flickr(self._service), turns), spool))
        return Findings(tabulate_hits(searches, spool, self._params), searches)

    async def _search_all(self, caller: Caller, spool: Spool) -> list[SearchRecord]:
        """Ask every query in the window of every shard, in the order of classes, queries and shards."""
        shards = shard_windows(self._params.since, self._params.snapshot, self._params.shard)
        free = asyncio.Semaphore(self._connections)
        total = sum(map(len, self._queries.values())) * len(shards)
        with Meter(spool, "searching", "search", total, now=self._clock.now) as meter:

            async def ask(class_name: str, text: str) -> list[SearchRecord]:
                """Ask a query in one shard after another, until it has given ``per_query`` photos."""
                left, records = self._params.per_query, []
                for shard in shards:
                    search = Search(text, caller, spool, self._params)
                    async with free:
                        windows = await search.windows(shard.first, shard.last, left)
                    if left is not None:
                        left -= count_photos(windows)
                    records.append(SearchRecord(class_name, text, shard, windows))
                    meter.update(known=not search.calls)
                return records

            jobs = []
            for class_name, texts in self._queries.items():
                jobs += [ask(class_name, text) for text in texts]
            return list(chain.from_iterable(await asyncio.gather(*jobs)))
