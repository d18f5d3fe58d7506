"""A photo service as a source: its searches find the photos, its hosts give their files."""

import asyncio
from collections.abc import Mapping, Sequence

from debugset.pool.files.download import download
from debugset.pool.flickr.client import Flickr
from debugset.pool.flickr.hits import tabulate_hits
from debugset.pool.flickr.search import Caller, search_all
from debugset.pool.flickr.service import Service
from debugset.pool.limits import Clock, Turns, rate_and_burst
from debugset.pool.params import ScrapeParams
from debugset.pool.source import Download, Findings
from debugset.pool.spool import Spool

_CALLS = "calls"  # the name of the searches' turns in the spool


class PhotoService:
    """Flickr, or what stands in for it (a `debugset.pool.source.Source`).

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
        self.name = service.name
        self._queries, self._service, self._params = queries, service, params
        self._connections, self._clock = connections, clock

    def find(self, spool: Spool) -> Findings:
        """Search for the photos; a search that the spool holds is not asked again.

        Raises:
            ValueError: the service refuses the key or the call, or no licence is asked for.
            OSError: the service cannot be reached or asks to be left alone for over an hour.
        """
        if not self._params.licence_ids:
            raise ValueError("scrape.licences: names no licence id, and every photo here has one; add ids")
        turns = Turns(_CALLS, *rate_and_burst(self._service.calls_per_hour), self._clock, spool)
        caller = Caller(Flickr(self._service), turns)
        searches = asyncio.run(
            search_all(self._queries, caller, spool, self._params, self._connections, self._clock.now)
        )
        return Findings(tabulate_hits(searches, spool, self._params), searches)

    def fetch(self, downloads: Sequence[Download], spool: Spool) -> None:
        """Fetch the photos' files into the spool.

        Raises:
            OSError: some could not be fetched for now.
        """
        asyncio.run(download(downloads, spool, self._service.hosts, self._params, self._connections, self._clock))

    def content(self, url: str, spool: Spool) -> bytes:
        """The bytes to pack of an address whose file is ``ok``."""
        return spool.content(url)
