"""Photos whose files lie on this machine: looked at where they are, and copied only when they are packed."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from debugset.base.machine import workers
from debugset.pool.fault import Fault
from debugset.pool.files.content import inspect
from debugset.pool.files.verdict import review
from debugset.pool.params import ScrapeParams
from debugset.pool.progress import Meter
from debugset.pool.source import Download, Findings
from debugset.pool.spool import File, Spool

_PART = 256  # files looked at between two writes into the spool


class Place(NamedTuple):
    """A photo's id and where its bytes lie: the file or tar that holds them, their offset and number."""

    photo: str
    path: Path
    offset: int
    size: int


class LocalSource(ABC):
    """A source (`debugset.pool.source.Source`) whose files lie on this machine.

    What became of a file is kept with the digest of its bytes, so that a later run decodes new and changed files only.
    """

    name: str

    def __init__(self, params: ScrapeParams) -> None:
        self._params = params
        self._places: dict[str, Place] = {}

    @abstractmethod
    def find(self, spool: Spool) -> Findings:
        """Find the photos, and note in ``_places`` where the bytes behind each address lie."""

    def fetch(self, downloads: Sequence[Download], spool: Spool) -> None:
        """Look at every wanted file; the spool says what became of its address; `OSError` if one cannot be read."""
        urls = [photo.urls[0] for photo in downloads]
        with ThreadPoolExecutor(workers()) as threads, Meter(spool, "reading", "photo", len(urls)) as meter:
            for start in range(0, len(urls), _PART):
                part = urls[start : start + _PART]
                digests = dict(zip(part, threads.map(self._digest, part), strict=True))
                new = [url for url in part if not self._is_known(url, digests[url], spool)]
                for url, file in zip(new, threads.map(self._inspect, new), strict=True):
                    self._keep(url, digests[url], file, spool)
                for _ in part:
                    meter.update()

    def content(self, url: str, spool: Spool) -> bytes:
        """The bytes to pack of a file that was ``ok``; `OSError` if it cannot be read or has changed meanwhile."""
        file, known = inspect(self._read(url), self._params.max_pixels), spool.file(url)
        if known is None or file._replace(content=known.content) != known:
            self._keep(url, self._digest(url), file, spool)
            raise OSError(f"{url}: the file changed while it was used; run again")
        return file.content

    def _digest(self, url: str) -> bytes:
        """The SHA-256 of a file as it is, or nothing if it is too large to be read."""
        return b"" if self._is_too_large(url) else hashlib.sha256(self._read(url)).digest()

    def _is_known(self, url: str, digest: bytes, spool: Spool) -> bool:
        """Whether the spool says what became of these bytes, and the limits of today need no other look."""
        file = spool.file(url)
        is_same = file is not None and digest != b"" and file.content == digest
        return is_same and review(file, self._params) is not None

    def _inspect(self, url: str) -> File:
        if self._is_too_large(url):
            return File(Fault.TOO_LARGE, size=self._places[url].size)
        return inspect(self._read(url), self._params.max_pixels)

    def _keep(self, url: str, digest: bytes, file: File, spool: Spool) -> None:
        """Keep what became of a file, with its digest for its content: that stays where it is."""
        spool.save_file(url, self._places[url].photo, file._replace(content=digest))

    def _is_too_large(self, url: str) -> bool:
        return self._places[url].size > self._params.max_bytes

    def _read(self, url: str) -> bytes:
        _, path, offset, size = self._places[url]
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        if len(content) != size:
            raise OSError(f"{url}: the file became shorter while it was used; run again")
        return content
