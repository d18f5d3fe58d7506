"""Fetching photos into the spool: many at a time, size after size, patiently, and nothing twice."""

import asyncio
import warnings
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from operator import itemgetter
from typing import Any

from debugset.base.machine import workers
from debugset.pool.fault import Fault
from debugset.pool.files.fetch import NEW_AT_ONCE, REMOVED, Fetcher, LeftAlone, Transient, host_of, open_session
from debugset.pool.files.health import Health
from debugset.pool.files.verdict import verdict
from debugset.pool.hosts import Hosts
from debugset.pool.limits import ATTEMPTS, Clock, ask_patiently
from debugset.pool.params import ScrapeParams
from debugset.pool.progress import Meter
from debugset.pool.source import Download, urls_of
from debugset.pool.spool import File, Spool, failed_file

_HOSTS_AT_ONCE = 64  # that have answered
_NEW_HOSTS_AT_ONCE = 1024  # mostly they rest between two attempts


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
    run asks those again, after all that was never asked for. A host that fails ten times in a row, or asks for a pause
    of more than an hour, is left alone for the rest of the run (`debugset.pool.files.health`). The arguments are those
    of `WebSource`.

    Raises:
        OSError: some could not be fetched for now, no host answers any more, or the last one asks to be left alone for
            longer than an hour. All others are in the spool.
    """
    files = spool.files(urls_of(downloads))
    queues = _queue_by_host(downloads, files, spool.failed_urls(), params)
    left = {host: len(queue) for host, queue in queues.items()}
    health = Health(left)
    meter = Meter(spool, "downloading", "photo", len(downloads), len(downloads) - sum(left.values()), clock.now)
    # Names that nobody answers for take long; as many threads as may wait for one, so that no other waits behind them.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(NEW_AT_ONCE + _HOSTS_AT_ONCE))
    decoders = ThreadPoolExecutor(workers())  # their own: more would only contend, and looking up hosts must not wait
    with meter, decoders, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Pillow's, about strangers' metadata
        async with open_session(hosts) as client:
            fetcher = Fetcher(client, hosts, params, connections, clock, spool, decoders, health)
            downloader = _Downloader(fetcher, health, spool, params, files, meter)
            await downloader.run(queues, connections)
    failures = downloader.failures
    if failures:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(failures.items()))
        raise OSError(
            f"downloads: {failures.total()} of {len(downloads)} photos failed ({kinds}); run again to try only "
            "those, or go on without them: `debugset pool give-up`"
        )


def _queue_by_host(
    downloads: Sequence[Download], files: Mapping[str, File], failed: Sequence[str], params: ScrapeParams
) -> dict[str, deque[Download]]:
    """The photos without a verdict by host: those never asked for first, then those that ``failed``, in its order."""
    places = {url: place for place, url in enumerate(failed, start=1)}
    left = []
    for photo in downloads:
        url, file = verdict(photo.urls, files, params)
        if file is None:
            left.append((places.get(url, 0), host_of(url), photo))
    queues: dict[str, deque[Download]] = {}
    for _, host, photo in sorted(left, key=itemgetter(0)):
        queues.setdefault(host, deque()).append(photo)
    return queues


class _Downloader:
    """Fetches photos side by side; ``files``, by address, grows, and ``failures`` counts photos by the reason."""

    def __init__(
        self,
        fetcher: Fetcher,
        health: Health,
        spool: Spool,
        params: ScrapeParams,
        files: dict[str, File],
        meter: Meter,
    ) -> None:
        self._fetcher, self._health, self._spool = fetcher, health, spool
        self._params, self._files, self._meter = params, files, meter
        self._places = asyncio.Semaphore(_HOSTS_AT_ONCE)
        self._failures_of_host: Counter[str] = Counter()  # photos
        self.failures: Counter[str] = Counter()

    async def run(self, queues: Mapping[str, deque[Download]], connections: int) -> None:
        """Fetch photos, host by host and many hosts at once, so that none waits for a slow or resting one."""
        hosts = iter(queues.items())
        await _run_together(min(len(queues), _NEW_HOSTS_AT_ONCE), self._serve_hosts, hosts, connections)

    async def _serve_hosts(self, hosts: Iterator[tuple[str, deque[Download]]], connections: int) -> None:
        for host, queue in hosts:
            while queue and not self._health.has_answered(host):  # one at a time: it may be dead
                await self._fetch_photo(host, queue.popleft())
            if not queue:
                continue
            async with self._places:
                await _run_together(min(connections, len(queue)), self._serve_queue, host, queue)

    async def _serve_queue(self, host: str, queue: deque[Download]) -> None:
        while queue:
            await self._fetch_photo(host, queue.popleft())

    async def _fetch_photo(self, host: str, photo: Download) -> None:
        while url := self._next_url(photo):
            file, attempts, to_blame = await self._ask(url)
            is_removed = file.status == REMOVED
            self._keep(photo, url, File(Fault.GONE) if is_removed else file, attempts)
            if file.failure:
                self._health.note_end(host)
                self._tell_failures(to_blame)
                if attempts:
                    self._health.note_failure(to_blame, file.failure)
                else:
                    await asyncio.sleep(0)  # a host left alone may have many photos; others go on meanwhile
                return
            if is_removed:
                for smaller in photo.urls[photo.urls.index(url) + 1 :]:
                    self._keep(photo, smaller, File(Fault.GONE), 0)
        self._health.note_end(host)
        self._meter.update()

    async def _ask(self, url: str) -> tuple[File, int, str]:
        """What became of an address, after how many attempts, and the host to blame for a failure."""
        host = host_of(url)
        is_patient = self._health.deserves_patience(host)
        try:
            if not is_patient:
                return await self._fetcher.fetch(url), 1, host
            file, attempts = await ask_patiently(partial(self._fetcher.fetch, url), Transient)
            return file, attempts, host
        except LeftAlone as error:
            return failed_file(str(error)), 0, error.host
        except Transient as error:
            return failed_file(str(error)), ATTEMPTS if is_patient else 1, error.host

    def _next_url(self, photo: Download) -> str | None:
        """The address to fetch next; None once there is a verdict about the photo."""
        url, file = verdict(photo.urls, self._files, self._params)
        return url if file is None else None

    def _keep(self, photo: Download, url: str, file: File, attempts: int) -> None:
        self._spool.save_file(url, photo.photo, file, attempts)
        self._files[url] = file._replace(content=b"")
        if file.failure:
            self.failures[file.failure] += 1

    def _tell_failures(self, host: str) -> None:
        """Say behind the progress how many photos failed, of a host and in all."""
        self._failures_of_host[host] += 1
        self._meter.note(f"failed: {self._failures_of_host[host]:,} of {host}, {self.failures.total():,} in all")


async def _run_together(times: int, work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
    """Do the same work several times side by side; the first error ends all and is raised as it is."""
    tasks = [asyncio.create_task(work(*arguments)) for _ in range(times)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
