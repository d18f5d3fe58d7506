"""Where DVC keeps objects and records of runs: this machine's cache, and a remote."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.db import get_index

LOCAL = "local"


class Store:
    """A place that keeps objects by the MD5 of their content, and records of runs.

    Args:
        name: `LOCAL`, or the remote's.
        objects: DVC's database of the objects.
        runs: the folder of the run cache, on the same file system.
    """

    def __init__(self, name: str, objects: Any, runs: str) -> None:
        self.name = name
        self._objects, self._files, self._runs = objects, objects.fs, runs

    def read(self, object: str) -> bytes | None:
        """An object's content; None if it is not here."""
        try:
            with self._files.open(self._objects.oid_to_path(object), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def size(self, object: str) -> int | None:
        """An object's size in bytes; None if it is not here."""
        try:
            return self._files.info(self._objects.oid_to_path(object))["size"]
        except FileNotFoundError:
            return None

    def runs(self) -> list[str]:
        """The names of the records of runs: ``ab/abc…/def…``; they are hashes of what the records hold."""
        if not self._files.exists(self._runs):
            return []
        return sorted(self._files.relpath(path, self._runs) for path in self._files.find(self._runs))

    def read_run(self, name: str) -> str:
        """The text of a record."""
        with self._files.open(self._files.join(self._runs, name), "rb") as file:
            return file.read().decode("utf-8")

    def remove(self, object: str) -> None:
        """Remove an object, if it is here."""
        self._remove(self._objects.oid_to_path(object))

    def remove_run(self, name: str) -> None:
        """Remove a record, if it is here."""
        self._remove(self._files.join(self._runs, name))

    def forget_index(self) -> None:
        """Drop what DVC remembers of the objects here, so that a later push looks anew."""
        get_index(self._objects).clear()

    def _remove(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self._files.remove(path)


class Contents:
    """Objects read from the first store that has them.

    Attributes:
        missing: the objects that were asked for and are nowhere.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        self.missing: set[str] = set()
        self._stores = stores
        self.read = lru_cache(maxsize=8)(self._read)  # runs of one version are judged in a row, by the same tables

    def _read(self, object: str) -> bytes | None:
        for store in self._stores:
            if (content := store.read(object)) is not None:
                return content
        self.missing.add(object)
        return None


@contextmanager
def explained() -> Iterator[None]:
    """Turn DVC's errors into one line."""
    try:
        yield
    except DvcException as error:
        raise ValueError(f"DVC: {error}") from None


def default_remote(repo: Repo) -> str | None:
    """The name of the remote that DVC uses when none is named, if there is one."""
    return repo.config["core"].get("remote")


def stores(repo: Repo, remote: str | None, local_only: bool) -> list[Store]:
    """The cache and, if there is one and it is wanted, a remote.

    Args:
        repo: DVC's repository.
        remote: its name; None for the default one.
        local_only: leave the remote out.

    Raises:
        ValueError: the remote is unknown or keeps no objects (a cloud-versioned one).
    """
    found = [Store(LOCAL, repo.cache.local, repo.stage_cache.cache_dir)]
    remote = remote or default_remote(repo)
    if remote and not local_only:
        with explained():
            objects = repo.cloud.get_remote_odb(remote, "purge")
            top = repo.cloud.get_remote_odb(remote, "purge", hash_name="md5-dos2unix")  # beside which runs/ lies
        found.append(Store(remote, objects, top.fs.join(top.path, "runs")))
    return found
