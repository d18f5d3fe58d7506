"""Purging: what holds forgotten photos is found, and removed from the cache, the remote and git's refs."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.experiments.stash import ExpStash

from debugset.files import read_json, write_json
from debugset.machine import spool_folder
from debugset.purge.plan import REFS, Plan, Step, find
from debugset.purge.stores import default_remote, explained, stores
from debugset.purge.versions import QUEUES, remove_ref

_LIST = "debugset-purge.json"  # in .dvc/tmp: the steps of a purge that is under way


class Purge:
    """A purge of forgotten photos in the repository of the current folder.

    Args:
        repo: DVC's repository.
        ids: of the photos.
        remote: the DVC remote's name; None for the default one.
        local_only: leave remotes alone.

    Attributes:
        plan: what was found, with what an interrupted purge left.
        places: the places that were searched.
        resumed: whether an earlier purge was interrupted.
        refs_stay: whether tags and experiments stay: a remote that was left alone can still restore them, and
            what it holds is found by them.

    Raises:
        ValueError: the current version still holds a photo, or the remote is unknown.
        OSError: git, the cache or the remote cannot be read.
    """

    def __init__(self, repo: Repo, ids: Collection[str], remote: str | None = None, local_only: bool = False) -> None:
        self._repo = repo
        self._stores = {store.name: store for store in stores(repo, remote, local_only)}
        self._list = Path(repo.tmp_dir) / _LIST
        left = [Step(*fields) for fields in read_json(self._list)] if self._list.is_file() else []
        self._elsewhere = [step for step in left if step.place not in self._stores]
        found = find(ids, list(self._stores.values()), spool_folder() / "features")
        here = [step for step in left if step.place in self._stores]
        self.places, self.resumed = list(self._stores), bool(left)
        self.refs_stay = local_only and default_remote(repo) is not None
        steps = [step for step in dict.fromkeys([*here, *found.steps]) if step.kind not in REFS or not self.refs_stay]
        self.plan: Plan = found._replace(steps=steps)

    def carry_out(self) -> None:
        """Remove all that the plan lists; a kill at any moment leaves the list of steps for the next purge."""
        with explained(), self._repo.lock:
            write_json(self._list, [*self.plan.steps, *self._elsewhere])
            for step in self.plan.steps:
                self._take(step)
            for store in self._stores.values():
                store.forget_index()
            write_json(self._list, self._elsewhere)
            if not self._elsewhere:
                self._list.unlink()

    def _take(self, step: Step) -> None:
        if step.kind in ("tag", "experiment"):
            remove_ref(step.key, step.commit)
        elif step.kind == "queued":
            self._drop_queued(step.commit)
        elif step.kind == "spool":
            _remove_path(Path(step.key))
        elif step.kind == "run":
            self._stores[step.place].remove_run(step.key)
        else:
            self._stores[step.place].remove(step.key)

    def _drop_queued(self, commit: str) -> None:
        with suppress(DvcException):  # raised if no task of the queue belongs to it
            self._repo.experiments.celery_queue.remove([commit])
        for queue in QUEUES:
            stash = ExpStash(self._repo.scm, queue)
            stash.remove_revs([entry for name, entry in stash.stash_revs.items() if name == commit])


def _remove_path(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def opened(ids: Collection[str], remote: str | None, local_only: bool) -> Iterator[Purge]:
    """A purge (see `Purge`) in the DVC repository of the current folder."""
    with explained():
        repo = Repo()
    with repo:
        yield Purge(repo, ids, remote, local_only)
