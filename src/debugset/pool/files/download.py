"""Fetching photos into the spool: many at a time, size after size, patiently, and nothing twice."""

import asyncio
import warnings
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from debugset.base.machine import workers
from debugset.pool.fault import Fault
from debugset.pool.files.fetch import REMOVED, Fetcher, Transient, host_of, open_session
from debugset.pool.files.verdict import verdict
from debugset.pool.hosts import Hosts
from debugset.pool.limits import ATTEMPTS, Clock, ask_patiently
from debugset.pool.params import ScrapeParams
from debugset.pool.progress import Meter
from debugset.pool.source import Download, urls_of
from debugset.pool.spool import File, Spool, failed_file

_HOSTS_AT_ONCE = 64
_FAILURES_IN_A_ROW = 10
_FAILURES_OF_ALL = 100  # where there are several hosts, some of them may be dead


class WebSource:
    """A source (`debugset.pool.source.Source`) whose files are in the web.

    Args:
        hosts: says which servers stand in for hosts, and the rate.
        params: the section ``scrape``.
        connections: how many files of one host are fetched at a time.
        clock: what pauses and progress go by.
    """

    def __init__(self, hosts: Hosts, params: ScrapeParams, connections: int, clock: Clock) -> None:
        self._hosts, self._params, self._connections, self._clock = hosts, params, connections, clock

    def fetch(self, downloads: Sequence[Download], spool: Spool) -> None:
        """Fetch the files that the spool has no final answer for; `OSError` as `download` says."""
        asyncio.run(download(downloads, spool, self._hosts, self._params, self._connections, self._clock))

    def content(self, url: str, spool: Spool) -> bytes:
        """The bytes to pack of an address whose file is ``ok``."""
        return spool.content(url)


async def download(
    downloads: Sequence[Download], spool: Spool, hosts: Hosts, params: ScrapeParams, connections: int, clock: Clock
) -> None:
    """Fetch what the spool has no verdict about yet, each photo's addresses one after another.

    An address ends as `debugset.pool.files.fetch.Fetcher.fetch` says, or as ``failed: ...`` after some tries; the next
    run asks those again. A host that fails ten times in a row is left alone for the rest of the run. The arguments
    are those of `WebSource`.

    Raises:
        OSError: some could not be fetched for now, or a host asks to be left alone for longer than an hour. All
            others are in the spool.
    """
    files = spool.files(urls_of(downloads))
    left = [photo for photo in downloads if verdict(photo.urls, files, params)[1] is None]
    meter = Meter(spool, "downloading", "photo", len(downloads), len(downloads) - len(left), clock.now)
    decoders = ThreadPoolExecutor(workers())  # their own: more would only contend, and looking up hosts must not wait
    with meter, decoders, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Pillow's, about strangers' metadata
        async with open_session(hosts) as client:
            fetcher = Fetcher(client, hosts, params, connections, clock, spool, decoders)
            downloader = _Downloader(fetcher, spool, params, files, meter)
            await downloader.run(left, connections)
    failures = downloader.failures
    if failures:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(failures.items()))
        raise OSError(
            f"downloads: {failures.total()} of {len(downloads)} photos failed ({kinds}); run again to try only "
            "those, or go on without them: `debugset pool give-up`"
        )


class _Downloader:
    """Fetches photos side by side; ``files``, by address, grows, and ``failures`` counts photos by the reason."""

    def __init__(
        self, fetcher: Fetcher, spool: Spool, params: ScrapeParams, files: dict[str, File], meter: Meter
    ) -> None:
        self._fetcher, self._spool, self._params, self._files, self._meter = fetcher, spool, params, files, meter
        self._failures_of_host: Counter[str] = Counter()  # since its last answer
        self._failures_of_all = 0  # since anybody's last answer
        self._most_failures_of_all = _FAILURES_IN_A_ROW
        self.failures: Counter[str] = Counter()

    async def run(self, photos: Sequence[Download], connections: int) -> None:
        """Fetch photos, host by host and several hosts at once, so that none waits for a slow or resting one."""
        queues: dict[str, deque[Download]] = {}
        for photo in photos:
            queues.setdefault(host_of(photo.urls[0]), deque()).append(photo)
        if len(queues) > 1:
            self._most_failures_of_all = _FAILURES_OF_ALL
        hosts = iter(queues.items())
        await _run_together(min(len(queues), _HOSTS_AT_ONCE), self._serve_hosts, hosts, connections)

    async def _serve_hosts(self, hosts: Iterator[tuple[str, deque[Download]]], connections: int) -> None:
        for host, queue in hosts:
            await _run_together(min(connections, len(queue)), self._serve_queue, host, queue)

    async def _serve_queue(self, host: str, queue: deque[Download]) -> None:
        while queue:
            photo = queue.popleft()
            if self._failures_of_host[host] < _FAILURES_IN_A_ROW:
                await self._fetch_photo(host, photo)
            elif url := self._next_url(photo):
                self._keep(photo, url, failed_file("its host is silent"), 0)

    async def _fetch_photo(self, host: str, photo: Download) -> None:
        while url := self._next_url(photo):
            try:
                file, attempts = await ask_patiently(partial(self._fetcher.fetch, url), Transient)
            except Transient as error:
                file, attempts = failed_file(str(error)), ATTEMPTS
            is_removed = file.status == REMOVED
            self._keep(photo, url, File(Fault.GONE) if is_removed else file, attempts)
            if file.failure:
                self._count_failure(host, file)
                return
            if is_removed:
                for smaller in photo.urls[photo.urls.index(url) + 1 :]:
                    self._keep(photo, smaller, File(Fault.GONE), 0)
        self._failures_of_host[host] = self._failures_of_all = 0
        self._meter.update()

    def _next_url(self, photo: Download) -> str | None:
        """The address to fetch next; None once there is a verdict about the photo."""
        url, file = verdict(photo.urls, self._files, self._params)
        return url if file is None else None

    def _keep(self, photo: Download, url: str, file: File, attempts: int) -> None:
        self._spool.save_file(url, photo.photo, file, attempts)
        self._files[url] = file._replace(content=b"")
        if file.failure:
            self.failures[file.failure] += 1

    def _count_failure(self, host: str, file: File) -> None:
        """Note that a photo failed; `OSError` if so many did in a row that the network must be down."""
        self._failures_of_host[host] += 1
        self._failures_of_all += 1
        if self._failures_of_all >= self._most_failures_of_all:
            raise OSError(
                f"downloads: {self._failures_of_all} photos in a row failed (the last: {file.failure}, {host}); "
                "check the network, run again: what is whole is not fetched again (with a good network "
                "`debugset pool give-up` goes on without them)"
            )


async def _run_together(times: int, work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
    """Do the same work several times side by side; the first error ends all and is raised as it is."""
    tasks = [asyncio.create_task(work(*arguments)) for _ in range(times)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
