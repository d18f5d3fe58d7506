"""The spool: everything that a scrape has been given, kept outside the outs so that no run asks for it again.

One SQLite file a source. Each answer is one committed transaction, so a run killed at any moment leaves
whole answers and nothing else; the write-ahead log lets a second process read at the same time. It also keeps
what must survive a restart: when the next call may go out, and how far the scrape is.
"""

import fcntl
import json
import sqlite3
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from debugset.pool.fault import Fault

OK = "ok"
ADDRESS_COLUMNS = ("photo", "url", "status", "width", "height", "size", "attempts", "tried")
VERSION = 2  # since 2, a turned picture is kept as it came, with its orientation
_FAILED = "failed: "
_KEPT_OF_FORGOTTEN = {"id", "dateupload"}
_WINDOW = "query = ? AND first = ? AND last = ?"

_TABLES = """
CREATE TABLE IF NOT EXISTS windows (
    query TEXT, first INTEGER, last INTEGER, total INTEGER NOT NULL, photos BLOB,
    PRIMARY KEY (query, first, last)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    url TEXT PRIMARY KEY, photo TEXT NOT NULL, tried REAL NOT NULL, attempts INTEGER NOT NULL,
    status TEXT NOT NULL, width INTEGER, height INTEGER, size INTEGER, extension TEXT, sha256 TEXT);
CREATE INDEX IF NOT EXISTS files_of_photo ON files (photo);
CREATE TABLE IF NOT EXISTS contents (url TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS turns (name TEXT PRIMARY KEY, next REAL NOT NULL, resume REAL NOT NULL);
CREATE TABLE IF NOT EXISTS progress (
    phase TEXT PRIMARY KEY, started REAL NOT NULL, updated REAL NOT NULL,
    before INTEGER NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL);
"""


class File(NamedTuple):
    """What became of a photo's address.

    Attributes:
        status: `OK`; a `Fault`, where there is no picture for good; or ``failed: REASON``: to be tried again.
        width, height: of the picture, in pixels.
        size: bytes that the service sent or announced.
        extension: the file name extension of its format.
        sha256: of the content.
        content: the bytes to pack, if `OK` and kept here.
    """

    status: str
    width: int = 0
    height: int = 0
    size: int = 0
    extension: str = ""
    sha256: str = ""
    content: bytes = b""

    @property
    def failure(self) -> str:
        """Why it failed for now, or ""."""
        return self.status.removeprefix(_FAILED) if self.status.startswith(_FAILED) else ""


class Progress(NamedTuple):
    """How far a phase of a scrape is.

    Attributes:
        phase: ``searching``, ``downloading``, ``indexing`` (tars), ``reading`` (local files) or ``packing``.
        started: when this run began the phase, unix seconds.
        updated: when it last said something.
        before: how much earlier runs had done.
        done: how much is done, those included.
        total: of how much.
    """

    phase: str
    started: float
    updated: float
    before: int
    done: int
    total: int


class Spool:
    """The spool of one source.

    Args:
        path: its SQLite file; made with its folder if it does not exist.
        read_only: open it as it is, also while a scrape writes it; nothing is made, locked or changed.

    Raises:
        OSError: it cannot be read or written (a full disk, for example), here and in every method.
    """

    def __init__(self, path: Path, read_only: bool = False) -> None:
        self.path = path
        with self._explain_errors():
            if read_only:
                # Without a log nobody writes it; opened as a database that may change, it would be given one.
                mode = "ro" if _log(path).exists() else "ro&immutable=1"
                self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)
                self._check_version()
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, isolation_level=None, timeout=60)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")  # a power cut may cost the last answers, not the file
            self._database.execute("PRAGMA secure_delete = ON")  # what is forgotten leaves the disk
            self._check_version()
            self._database.execute(f"PRAGMA user_version = {VERSION}")
            self._database.executescript(_TABLES)

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the spool against other scrapes; wait for one that is running."""
        with self.path.with_suffix(".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"scrape: another run uses {self.path}; waiting for it", flush=True)
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def total(self, query: str, first: int, last: int) -> int | None:
        """The total that a search in an upload window gave, or None if it was never asked."""
        return self._window("total", query, first, last)

    def save_total(self, query: str, first: int, last: int, total: int) -> None:
        """Keep a search's total."""
        self._change("INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?, NULL)", query, first, last, total)

    def photos(self, query: str, first: int, last: int) -> list[dict[str, Any]] | None:
        """The photos of a search in an upload window, as they were sent, or None if not all are here."""
        packed = self._window("photos", query, first, last)
        return None if packed is None else json.loads(zlib.decompress(packed))

    def has_photos(self, query: str, first: int, last: int) -> bool:
        """Whether all photos of a search in an upload window are here."""
        return bool(self._window("photos IS NOT NULL", query, first, last))

    def save_photos(self, query: str, first: int, last: int, total: int, photos: list[dict[str, Any]]) -> None:
        """Keep all photos of a search in an upload window."""
        self._change("INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?, ?)", query, first, last, total, _pack(photos))

    def file(self, url: str) -> File | None:
        """What became of an address, with its bytes."""
        file = self.files({url}).get(url)
        return file and file._replace(content=self._content(url))

    def content(self, url: str) -> bytes:
        """The bytes of a file whose status is `OK`. Raises KeyError if there are none."""
        content = self._content(url)
        if not content:
            raise KeyError(url)
        return content

    def files(self, urls: Set[str]) -> dict[str, File]:
        """What became of those addresses that were tried, without the bytes."""
        columns = ", ".join(File._fields[:-1])
        if len(urls) == 1:
            rows = self._rows(f"SELECT url, {columns} FROM files WHERE url = ?", *urls)
        else:  # nearly all, as a rule: one pass through the table is faster than a search for each
            rows = self._rows(f"SELECT url, {columns} FROM files")
        return {url: File(*values) for url, *values in rows if url in urls}

    def save_file(self, url: str, photo: str, file: File, attempts: int = 1) -> None:
        """Keep what became of an address of a photo, after how many attempts."""
        *known, content = file
        with self._transaction():
            row = (url, photo, time.time(), attempts, *known)
            self._change(f"INSERT OR REPLACE INTO files VALUES ({', '.join('?' * len(row))})", *row)
            if content:
                self._change("INSERT OR REPLACE INTO contents VALUES (?, ?)", url, content)
            else:
                self._change("DELETE FROM contents WHERE url = ?", url)

    def give_up(self) -> dict[str, int]:
        """Let every address that failed be unreachable for good; how many those were, by how they failed."""
        failures = self.statuses(f"{_FAILED}%")
        self._change("UPDATE files SET status = ? WHERE status LIKE ?", str(Fault.UNREACHABLE), f"{_FAILED}%")
        return failures

    def count_tried_since(self, moment: float) -> int:
        """How many addresses were tried since a moment in unix seconds."""
        return self._value("SELECT COUNT(*) FROM files WHERE tried >= ?", moment)

    def statuses(self, like: str = "%") -> dict[str, int]:
        """How many addresses ended in each status, or each that is like a pattern of SQL; the most frequent first."""
        counted = "SELECT status, COUNT(*) FROM files WHERE status LIKE ? GROUP BY status ORDER BY 2 DESC, 1"
        return dict(self._rows(counted, like))

    def addresses(self) -> Iterator[tuple[Any, ...]]:
        """Every address that was tried, as it came: the columns of `ADDRESS_COLUMNS`."""
        with self._explain_errors():
            yield from self._database.execute(f"SELECT {', '.join(ADDRESS_COLUMNS)} FROM files")

    def turn(self, name: str) -> tuple[float, float]:
        """When the next call of a name may go out by its rate, and when a pause ends; unix seconds."""
        rows = self._rows("SELECT next, resume FROM turns WHERE name = ?", name)
        return rows[0] if rows else (0.0, 0.0)

    def save_turn(self, name: str, next_call: float, resume: float) -> None:
        """Keep what `turn` gives."""
        self._change("INSERT OR REPLACE INTO turns VALUES (?, ?, ?)", name, next_call, resume)

    def progress(self) -> list[Progress]:
        """How far each phase of the last scrape is, in the order of the phases."""
        return [Progress(*row) for row in self._rows("SELECT * FROM progress ORDER BY started, rowid")]

    def save_progress(self, progress: Progress) -> None:
        """Keep how far a phase is."""
        self._change("INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?)", *progress)

    def clear_progress(self) -> None:
        """Forget how far the last scrape was; another one begins."""
        self._change("DELETE FROM progress")

    def forget(self, photos: Iterable[str]) -> Counter[str]:
        """Remove all that is known of photos, from the disk too; how many files and search results of each those were.

        Of a search's answer only the id and the upload date stay, so that whoever counts its results counts the
        same as one who asks anew.
        """
        forgotten, removed = set(photos), Counter[str]()
        if not forgotten:
            return removed
        for window in self._rows("SELECT query, first, last FROM windows WHERE photos IS NOT NULL"):
            removed.update(self._forget_results(forgotten, *window))
        for photo in sorted(forgotten):
            with self._transaction():
                self._change("DELETE FROM contents WHERE url IN (SELECT url FROM files WHERE photo = ?)", photo)
                removed[photo] += self._change("DELETE FROM files WHERE photo = ?", photo)
        removed = +removed  # without those of which nothing was known
        if removed:
            self._rows("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    def _forget_results(self, forgotten: set[str], query: str, first: int, last: int) -> list[str]:
        """Remove what a search's answer tells of photos; the ids of those of which it told something."""
        photos, removed = self.photos(query, first, last) or [], []
        for place, photo in enumerate(photos):
            name = str(photo["id"])
            if name in forgotten and photo.keys() - _KEPT_OF_FORGOTTEN:
                photos[place] = {key: value for key, value in photo.items() if key in _KEPT_OF_FORGOTTEN}
                removed.append(name)
        if removed:
            self._change(f"UPDATE windows SET photos = ? WHERE {_WINDOW}", _pack(photos), query, first, last)
        return removed

    def _window(self, column: str, query: str, first: int, last: int) -> Any:
        return self._value(f"SELECT {column} FROM windows WHERE {_WINDOW}", query, first, last)

    def _content(self, url: str) -> bytes:
        return self._value("SELECT content FROM contents WHERE url = ?", url) or b""

    def _value(self, statement: str, *values: Any) -> Any:
        """The first value of the first row; None if there is no row."""
        rows = self._rows(statement, *values)
        return rows[0][0] if rows else None

    def _rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._explain_errors():
            return self._database.execute(statement, values).fetchall()

    def _change(self, statement: str, *values: Any) -> int:
        """Change rows; how many those were."""
        with self._explain_errors():
            return self._database.execute(statement, values).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Let changes be made all together or not at all."""
        with self._explain_errors(), self._database:  # which commits, or rolls back
            self._database.execute("BEGIN IMMEDIATE")
            yield

    @contextmanager
    def _explain_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            mend = "free some space" if "full" in str(error) else "make sure that it can be read and written"
            raise OSError(f"{self.path}: {error}; {mend}, then run again: what is whole is kept") from None

    def _check_version(self) -> None:
        tables = self._value("SELECT COUNT(*) FROM sqlite_master")
        if tables and self._value("PRAGMA user_version") != VERSION:
            self._database.close()
            raise OSError(f"{self.path}: was written by another version of debugset; move it away, then run again")


def failed_file(reason: str) -> File:
    """What became of an address that is to be tried again, and why."""
    return File(f"{_FAILED}{reason}")


def is_running(path: Path) -> bool:
    """Whether a scrape holds the spool at ``path``."""
    lock = path.with_suffix(".lock")
    if not lock.exists():
        return False
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def list_spools(folder: Path) -> list[Path]:
    """The spools in the spool folder, the last used first."""

    def last_use(path: Path) -> float:  # a running scrape writes the log; the file itself changes now and then
        return max(one.stat().st_mtime for one in (path, _log(path)) if one.exists())

    return sorted((folder / "scrape").glob("*.sqlite"), key=last_use, reverse=True)


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _pack(photos: list[dict[str, Any]]) -> bytes:
    return zlib.compress(json.dumps(photos).encode(), 1)
