"""Fetching photos into the spool: many at a time, size after size, patiently, and nothing twice."""

import asyncio
import warnings
from collections import Counter, deque
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from debugset.base.machine import workers
from debugset.pool.files.fetch import REMOVED, Fetcher, Transient, host_of, session
from debugset.pool.flickr.service import Service
from debugset.pool.limits import ATTEMPTS, Clock, patiently
from debugset.pool.params import ScrapeParams
from debugset.pool.progress import Meter
from debugset.pool.source import Wanted
from debugset.pool.spool import FAILED, File, Spool

_HOSTS_AT_ONCE = 64
_FAILURES_IN_A_ROW = 10
_FAILURES_OF_ALL = 100  # where there are several hosts, some of them may be dead
_SETTLE = ("ok", "placeholder", "opted_out")  # for a photo, not for this size of it alone


def needed(urls: Sequence[str], files: Mapping[str, File], params: ScrapeParams) -> str | None:
    """The address of a photo that must be fetched next; None once the photo is settled.

    Args:
        urls: the photo's addresses in the order they are tried, at least one.
        files: address -> what became of it, for those that were tried.
        params: the section ``scrape``; what a limit kept out is asked again once the limit is raised.
    """
    *_, (url, file) = _tried(urls, files, params)
    return url if file is None else None


def settled(urls: Sequence[str], files: Mapping[str, File], params: ScrapeParams) -> tuple[str, File] | None:
    """What became of a photo: the address and the file that decide; None while there is something to fetch.

    The first picture decides, and so does a word that holds for every size. Where every size was in vain it is
    the first one's.

    Args:
        urls: the photo's addresses in the order they are tried, at least one.
        files: address -> what became of it, for those that were tried.
        params: the section ``scrape``; its limits hold for what was fetched before they were lowered, too.
    """
    tried = list(_tried(urls, files, params))
    url, file = tried[-1]
    if file is None:
        return None
    if file.status not in _SETTLE:
        url, file = tried[0]
        assert file is not None
    return url, file


async def download(
    wanted: Sequence[Wanted],
    spool: Spool,
    service: Service,
    params: ScrapeParams,
    connections: int,
    clock: Clock,
) -> None:
    """Fetch what the spool does not settle yet, each photo's addresses one after another.

    An address ends as `debugset.pool.files.fetch.Fetcher.fetch` says, or as ``failed: ...`` after some tries; the next
    run asks those again. A host that fails ten times in a row is left alone for the rest of the run.

    Args:
        wanted: the photos.
        spool: takes each file when it is whole.
        service: says which servers stand in for hosts, the rate, and known "unavailable" pictures.
        params: the section ``scrape``: limits and further such pictures.
        connections: how many files of one host are fetched at a time.
        clock: what pauses and progress go by.

    Raises:
        OSError: some could not be fetched for now, or a host asks to be left alone for longer than an hour. All
            others are in the spool.
    """
    files = spool.files(url for photo in wanted for url in photo.urls)
    left = [photo for photo in wanted if needed(photo.urls, files, params)]
    meter = Meter(spool, "downloading", "photo", len(wanted), len(wanted) - len(left), clock.now)
    decoders = ThreadPoolExecutor(workers())  # their own: more would only contend, and looking up hosts must not wait
    with meter, decoders, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Pillow's, about strangers' metadata
        async with session(service) as client:
            fetcher = Fetcher(client, service, params, connections, clock, spool, decoders)
            downloads = _Downloads(fetcher, spool, params, files, meter)
            await downloads.run(left, connections)
    if failures := downloads.failures:
        count, kinds = failures.total(), _listed(failures)
        raise OSError(
            f"downloads: {count} of {len(wanted)} photos failed ({kinds}); run again to try only "
            "those, or go on without them: `debugset give-up`"
        )


class _Downloads:
    """The photos under way.

    Args:
        fetcher: asks the hosts.
        spool: takes the files.
        params: the section ``scrape``.
        files: address -> what became of it; grows.
        meter: counts photos that are settled.
    """

    def __init__(
        self, fetcher: Fetcher, spool: Spool, params: ScrapeParams, files: dict[str, File], meter: Meter
    ) -> None:
        self._fetcher, self._spool, self._params, self._files, self._meter = fetcher, spool, params, files, meter
        self._in_a_row: Counter[str] = Counter()  # failures of each host since its last answer, of all under ""
        self._most_in_a_row = _FAILURES_IN_A_ROW
        self.failures: Counter[str] = Counter()

    async def run(self, photos: Sequence[Wanted], connections: int) -> None:
        """Fetch photos, host by host and several hosts at once, so that none waits for a slow or resting one."""
        queues: dict[str, deque[Wanted]] = {}
        for photo in photos:
            queues.setdefault(host_of(photo.urls[0]), deque()).append(photo)
        self._most_in_a_row = _FAILURES_IN_A_ROW if len(queues) == 1 else _FAILURES_OF_ALL
        hosts = iter(queues.items())
        await _together(self._serve(hosts, connections) for _ in range(min(len(queues), _HOSTS_AT_ONCE)))

    async def _serve(self, hosts: Iterator[tuple[str, deque[Wanted]]], connections: int) -> None:
        for host, queue in hosts:
            await _together(self._work(host, queue) for _ in range(min(connections, len(queue))))

    async def _work(self, host: str, queue: deque[Wanted]) -> None:
        while queue:
            photo = queue.popleft()
            if self._in_a_row[host] < _FAILURES_IN_A_ROW:
                await self._photo(host, photo)
            elif url := needed(photo.urls, self._files, self._params):
                self._keep_failure(photo, url, File(f"{FAILED}: its host is silent"), 0)

    async def _photo(self, host: str, photo: Wanted) -> None:
        while url := needed(photo.urls, self._files, self._params):
            file, attempts = await self._patiently(url)
            if file.status.startswith(FAILED):
                self._keep_failure(photo, url, file, attempts)
                return self._check_network(host, file)
            later = photo.urls[photo.urls.index(url) :] if file.status == REMOVED else ()
            self._keep(url, photo, File("gone") if later else file, attempts)
            for other in later[1:]:
                self._keep(other, photo, File("gone"), 0)
        self._in_a_row[host] = self._in_a_row[""] = 0
        self._meter.update()

    async def _patiently(self, url: str) -> tuple[File, int]:
        """Ask until there is an answer, but not for ever; the file and how often it was asked for."""
        try:
            return await patiently(lambda: self._fetcher.fetch(url), Transient)
        except Transient as error:
            return File(f"{FAILED}: {error}"), ATTEMPTS

    def _keep(self, url: str, photo: Wanted, file: File, attempts: int) -> None:
        self._spool.save_file(url, photo.photo, file, attempts)
        self._files[url] = file._replace(content=b"")

    def _keep_failure(self, photo: Wanted, url: str, file: File, attempts: int) -> None:
        self._keep(url, photo, file, attempts)
        self.failures[file.status.removeprefix(f"{FAILED}: ")] += 1

    def _check_network(self, host: str, file: File) -> None:
        self._in_a_row.update([host, ""])
        if self._in_a_row[""] >= self._most_in_a_row:
            raise OSError(
                f"downloads: {self._in_a_row['']} photos in a row failed (the last: "
                f"{file.status.removeprefix(f'{FAILED}: ')}, {host}); check the network, run again: what is whole is "
                "not fetched again (with a good network `debugset give-up` goes on without them)"
            )


async def _together(jobs: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do jobs side by side; the first error ends them all and is raised as it is."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tried(urls: Sequence[str], files: Mapping[str, File], params: ScrapeParams) -> Iterator[tuple[str, File | None]]:
    """A photo's addresses up to the one that decides; the file is None where it is to be fetched."""
    for url in urls:
        file = _judged(files.get(url), params)
        yield url, file
        if file is None or file.status in _SETTLE:
            return


def _judged(file: File | None, params: ScrapeParams) -> File | None:
    """A file by the limits of today; None if it must be fetched (again)."""
    if file is None or file.status.startswith(FAILED):
        return None
    too_large = file.size > params.max_bytes
    too_many_pixels = file.width * file.height > params.max_pixels
    if file.status == "ok":
        listed = file.sha256 in params.placeholders
        faults = [(listed, "placeholder"), (too_large, "too_large"), (too_many_pixels, "too_many_pixels")]
        return file._replace(status=next((fault for holds, fault in faults if holds), "ok"))
    still = {
        "too_large": too_large,
        "too_many_pixels": too_many_pixels,
        "placeholder": not file.sha256 or file.sha256 in params.placeholders,  # the known ones have no digest here
    }
    return file if still.get(file.status, True) else None


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
