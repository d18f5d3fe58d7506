"""Purging: what holds forgotten photos is listed, and removed from the cache, the remotes and git's refs."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from itertools import starmap
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.experiments.stash import ExpStash

from debugset.base.files import read_json, write_json
from debugset.base.machine import spool_folder
from debugset.purge.history import QUEUES, remove_ref
from debugset.purge.plan import FINDING, Plan, Step, make_plan, sort_steps
from debugset.purge.stores import explain_dvc, open_stores, remote_names

_LIST = "debugset-purge.json"  # in .dvc/tmp: the steps that a purge has yet to take


class Purge:
    """A purge of forgotten photos in the repository of the current folder.

    Args:
        repo: DVC's repository.
        ids: of the photos.
        remote: the name of the only DVC remote to search; None for all.
        local_only: leave remotes alone.

    Attributes:
        plan: what was found, with what an earlier purge left.
        places: the places that were searched.
        resumed: whether an earlier purge left some of it, since it was killed or did not search all remotes.
        left_alone: the remotes that were not searched, by choice or because nothing is there. If there are any,
            tags, experiments and records of runs stay: by them is found what those remotes hold.

    Raises:
        ValueError: the current version still holds a photo.
        OSError: git, the cache or a remote cannot be read, or a remote is unknown.
    """

    def __init__(self, repo: Repo, ids: Collection[str], remote: str | None = None, local_only: bool = False) -> None:
        self._repo = repo
        self._stores = {store.name: store for store in open_stores(repo, remote, local_only)}
        self._list = Path(repo.tmp_dir) / _LIST
        left = list(starmap(Step, read_json(self._list))) if self._list.is_file() else []
        self.places = list(self._stores)
        self.left_alone = [name for name in remote_names(repo) if name not in self._stores]
        plan = make_plan(ids, list(self._stores.values()), spool_folder())
        due: list[Step] = []
        self._later: list[Step] = []
        for step in sort_steps([*left, *plan.steps]):
            is_due = step.place in self._stores and not (self.left_alone and step.kind in FINDING)
            (due if is_due else self._later).append(step)
        self.resumed = not set(left).isdisjoint(due)
        self.plan: Plan = plan._replace(steps=due)

    def carry_out(self) -> None:
        """Remove all that the plan lists; a kill at any moment leaves the list of steps for the next purge."""
        with explain_dvc(), self._repo.lock:
            write_json(self._list, [*self.plan.steps, *self._later])
            for step in self.plan.steps:
                self._take(step)
            for store in self._stores.values():
                store.forget_index()
            write_json(self._list, self._later)
            if not self._later:
                self._list.unlink()

    def _take(self, step: Step) -> None:
        if step.kind in ("tag", "experiment"):
            remove_ref(step.key, step.commit)
        elif step.kind == "queued":
            self._drop_queued(step.commit)
        elif step.kind == "spool":
            Path(step.key).unlink(missing_ok=True)
        elif step.kind == "run":
            self._stores[step.place].remove_run(step.key)
        else:
            self._stores[step.place].remove(step.key)

    def _drop_queued(self, commit: str) -> None:
        with suppress(DvcException):  # raised if no task of the queue belongs to it
            self._repo.experiments.celery_queue.remove([commit])
        for queue in QUEUES:
            stash = ExpStash(self._repo.scm, queue)
            entry = stash.stash_revs.get(commit)
            if entry is not None:
                stash.remove_revs([entry])


@contextmanager
def open_purge(ids: Collection[str], remote: str | None, local_only: bool) -> Iterator[Purge]:
    """A purge (see `Purge`) in the DVC repository of the current folder."""
    with explain_dvc():
        repo = Repo()
    with repo:
        with explain_dvc():
            purge = Purge(repo, ids, remote, local_only)
        yield purge
