"""The spool: everything that a scrape has been given, kept outside the outs so that no run asks for it again.

One SQLite file an endpoint. Each answer is one committed transaction, so a run killed at any moment leaves
whole answers and nothing else; the write-ahead log lets a second process read (or scrape) at the same time.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

FAILED = "failed"

_TABLES = """
CREATE TABLE IF NOT EXISTS windows (
    query TEXT, first INTEGER, last INTEGER, total INTEGER NOT NULL, photos BLOB,
    PRIMARY KEY (query, first, last)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    url TEXT PRIMARY KEY, status TEXT NOT NULL, width INTEGER, height INTEGER, extension TEXT, content BLOB);
"""


class File(NamedTuple):
    """What became of a photo's address.

    Attributes:
        status: ``ok``; ``gone``, ``refused`` or ``undecodable`` (for good); ``failed: ...`` (try again).
        width: of the decoded image, in pixels.
        height: of the decoded image, in pixels.
        extension: the file name extension of its format.
        content: the file's bytes, if ``ok``.
    """

    status: str
    width: int = 0
    height: int = 0
    extension: str = ""
    content: bytes = b""


class Spool:
    """The spool of one endpoint.

    Args:
        path: its SQLite file; made with its folder if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None, timeout=60)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last answers, never the file
        self._database.executescript(_TABLES)

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def total(self, query: str, first: int, last: int) -> int | None:
        """The total that a search in an upload window gave, or None if it was never asked."""
        row = self._window("total", query, first, last)
        return None if row is None else row[0]

    def save_total(self, query: str, first: int, last: int, total: int) -> None:
        """Keep a search's total."""
        self._database.execute("INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?, NULL)", (query, first, last, total))

    def photos(self, query: str, first: int, last: int) -> list[dict[str, Any]] | None:
        """The photos of a search in an upload window, as they were sent, or None if not all are here."""
        row = self._window("photos", query, first, last)
        return None if row is None or row[0] is None else json.loads(zlib.decompress(row[0]))

    def has_photos(self, query: str, first: int, last: int) -> bool:
        """Whether all photos of a search in an upload window are here."""
        row = self._window("photos IS NOT NULL", query, first, last)
        return row is not None and bool(row[0])

    def save_photos(self, query: str, first: int, last: int, total: int, photos: list[dict[str, Any]]) -> None:
        """Keep all photos of a search in an upload window."""
        packed = zlib.compress(json.dumps(photos, ensure_ascii=False).encode(), 1)
        self._database.execute(
            "INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?, ?)", (query, first, last, total, packed)
        )

    def file(self, url: str) -> File | None:
        """What became of an address, with its bytes."""
        columns = ", ".join(File._fields)
        row = self._database.execute(f"SELECT {columns} FROM files WHERE url = ?", (url,)).fetchone()
        return None if row is None else File(*row)

    def content(self, url: str) -> bytes:
        """The bytes of a file whose status is ``ok``."""
        return self._database.execute("SELECT content FROM files WHERE url = ?", (url,)).fetchone()[0]

    def files(self, urls: Iterable[str]) -> dict[str, File]:
        """What became of those addresses that were tried, without the bytes."""
        wanted = set(urls)
        rows = self._database.execute("SELECT url, status, width, height, extension FROM files")
        return {url: File(*rest) for url, *rest in rows if url in wanted}

    def save_file(self, url: str, file: File) -> None:
        """Keep what became of an address."""
        self._database.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", (url, *file))

    def _window(self, column: str, query: str, first: int, last: int) -> tuple[Any, ...] | None:
        where = "query = ? AND first = ? AND last = ?"
        return self._database.execute(f"SELECT {column} FROM windows WHERE {where}", (query, first, last)).fetchone()
