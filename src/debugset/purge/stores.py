"""Where DVC keeps objects and records of runs: this machine's cache, and remotes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.hashfile.db import get_index

LOCAL = "This machine"  # DVC turns remotes' names into lower case, so none has this one


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

    def read(self, md5: str) -> bytes | None:
        """An object's content; None if it is not here."""
        path = self._objects.oid_to_path(md5)
        with suppress(FileNotFoundError), _explain(self.name), self._files.open(path, "rb") as file:
            return file.read()
        return None

    def size(self, md5: str) -> int | None:
        """An object's size in bytes; None if it is not here."""
        with suppress(FileNotFoundError), _explain(self.name):
            return self._files.info(self._objects.oid_to_path(md5))["size"]
        return None

    def runs(self) -> list[str]:
        """The names of the records of runs: ``ab/abc…/def…``; they are hashes of what the records hold."""
        with _explain(self.name):
            if not self._files.exists(self._runs):
                return []
            return sorted(self._files.relpath(path, self._runs) for path in self._files.find(self._runs))

    def read_run(self, name: str) -> str:
        """The text of a record."""
        with _explain(self.name), self._files.open(self._files.join(self._runs, name), "rb") as file:
            return file.read().decode("utf-8")

    def remove(self, md5: str) -> None:
        """Remove an object, if it is here."""
        self._remove(self._objects.oid_to_path(md5))

    def remove_run(self, name: str) -> None:
        """Remove a record, if it is here."""
        self._remove(self._files.join(self._runs, name))

    def forget_index(self) -> None:
        """Drop what DVC remembers of the objects here, so that a later push looks anew."""
        with _explain(self.name):
            get_index(self._objects).clear()

    def _remove(self, path: str) -> None:
        with suppress(FileNotFoundError), _explain(self.name):
            self._files.remove(path)


class Contents:
    """Objects read from the first store that has them."""

    def __init__(self, stores: Sequence[Store]) -> None:
        self.missing: set[str] = set()  # MD5 of those that were asked for and are nowhere
        self._stores = stores

    def read(self, md5: str) -> bytes | None:
        """An object's content; None if it is nowhere."""
        for store in self._stores:
            content = store.read(md5)
            if content is not None:
                return content
        self.missing.add(md5)
        return None


@contextmanager
def explain_dvc() -> Iterator[None]:
    """Turn DVC's errors into one line."""
    try:
        yield
    except DvcException as error:
        raise ValueError(f"DVC: {_one_line(error)}") from None


@contextmanager
def _explain(name: str) -> Iterator[None]:
    """Turn a store's errors into one line that names it; that a file is missing is for the caller to judge."""
    try:
        yield
    except FileNotFoundError:
        raise
    except NotImplementedError:
        raise OSError(f"{name}: this kind of remote lets nothing be listed or removed; leave it out") from None
    except Exception as error:  # each kind of remote has errors of its own, without a common class
        raise OSError(f"{name}: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def remote_names(repo: Repo) -> list[str]:
    """The names of all remotes."""
    return sorted(repo.config["remote"])


def open_stores(repo: Repo, remote: str | None, local_only: bool) -> list[Store]:
    """The cache and the wanted remotes (one, none or all; see `debugset.purge.removal.Purge`) that are there.

    A disk that is not mounted or a server that is down may look like a remote without files.

    Raises:
        OSError: a remote is unknown, cannot be opened or keeps no objects (a cloud-versioned one), or nothing is
            where the only one should be.
    """
    stores = [Store(LOCAL, repo.cache.local, repo.stage_cache.cache_dir)]
    if local_only:
        return stores
    for name in [remote] if remote else remote_names(repo):
        with _explain(name):
            objects = repo.cloud.get_remote_odb(name, "purge")
            top = repo.cloud.get_remote_odb(name, "purge", hash_name="md5-dos2unix")  # beside which runs/ lies
            if top.fs.exists(top.path):
                stores.append(Store(name, objects, top.fs.join(top.path, "runs")))
            elif remote:
                raise OSError(f"nothing is at {top.path}; make the remote reachable, or leave it out")
    return stores
