"""What the versions of the data name: each commit's ``dvc.lock``, the refs that lead to commits, records of runs."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from debugset.base.git import git
from debugset.base.params import LOADER

LOCK = "dvc.lock"
QUEUES = ("refs/exps/celery/stash", "refs/exps/celery/failed", "refs/exps/stash")  # as DVC names them
_PASSING = "refs/exps/exec/"  # names that DVC gives while an experiment runs, and leaves behind
_WORK = "refs/exps/apply/"  # what `dvc exp apply` put aside is somebody's work, as a branch or a stash is


class Record(NamedTuple):
    """A run of a stage: (path, object) of all that it read and wrote.

    Attributes:
        command: what ran.
        deps: what it read, git's files included.
        outs: what it wrote.
    """

    command: str
    deps: tuple[tuple[str, str], ...]
    outs: tuple[tuple[str, str], ...]

    def names(self, objects: Iterable[str]) -> bool:
        """Whether it read or wrote one of these objects."""
        return not {name for _, name in (*self.deps, *self.outs)}.isdisjoint(objects)


class Ref(NamedTuple):
    """A git ref and a commit that it leads to.

    Attributes:
        name: in full.
        commit: the commit.
        short: the name as people say it.
    """

    name: str
    commit: str
    short: str

    @property
    def kind(self) -> str:
        """``tag``, ``experiment`` or ``queued`` (an experiment yet to run); "" for what purging never touches."""
        if self.name in QUEUES:
            return "queued"
        if self.name.startswith("refs/exps/") and not self.name.startswith(_WORK):
            return "experiment"
        return "tag" if self.name.startswith("refs/tags/") else ""


class History(NamedTuple):
    """All that git knows of versions.

    Attributes:
        commits: commit -> the records of its lock file, if any; commits that only a reflog names included.
        refs: branches, tags, experiments, queued experiments one by one.
    """

    commits: dict[str, list[Record]]
    refs: list[Ref]

    def names(self, commits: Collection[str]) -> list[str]:
        """What people call commits: the tags, experiments and branches that lead to them, else their short hashes."""
        named = [ref for ref in self.refs if ref.commit in commits and not ref.name.startswith(_PASSING)]
        return [ref.short for ref in named] or [commit[:7] for commit in commits]


def history() -> History:
    """Read all versions from the git repository of the current folder.

    Raises:
        OSError: git cannot be run here.
    """
    commits = git("rev-list", "--all", "--reflog").split()
    asked = "".join(f"{commit}:{LOCK}\n" for commit in commits)
    blobs = [line.split() for line in git("cat-file", "--batch-check", stdin=asked).splitlines()]
    of_commit = {commit: found[0] for commit, found in zip(commits, blobs, strict=True) if found[1] == "blob"}
    records = {blob: lock_records(git("cat-file", "blob", blob)) for blob in dict.fromkeys(of_commit.values())}
    known = set(commits)
    refs = [ref for ref in _refs() if ref.commit in known]  # a tag may name a file
    return History({commit: records.get(of_commit.get(commit, ""), []) for commit in commits}, refs)


def current() -> list[Record]:
    """The records of the lock files of the working tree and of HEAD: the version that must stay whole."""
    path = Path(LOCK)
    written = lock_records(path.read_text(encoding="utf-8")) if path.is_file() else []
    return written + lock_records(git("show", f"HEAD:{LOCK}", check=False))


def reachable(refs: Iterable[Ref]) -> list[str]:
    """The commits that HEAD and these refs lead to, newest first."""
    return git("rev-list", "--stdin", stdin="".join(f"{ref.commit}\n" for ref in refs) + "HEAD\n").split()


def subject(commit: str) -> str:
    """A commit's short hash, day and first line."""
    return git("show", "--no-patch", "--format=%h %as %s", commit).strip()


def remove_ref(name: str, commit: str) -> None:
    """Remove a tag or an experiment, if it still leads to this commit."""
    if any((ref.name, ref.commit) == (name, commit) for ref in _refs()):
        git("update-ref", "--no-deref", "-d", name)


def git_remotes() -> list[str]:
    """The names of git's remotes."""
    return git("remote").split()


def lock_records(text: str) -> list[Record]:
    """The records of a lock file."""
    stages = (yaml.load(text, LOADER) or {}).get("stages") or {}
    return [_record(entry) for entry in stages.values()]


def run_record(text: str) -> Record | None:
    """The record in a file of the run cache; None if it is not one."""
    try:
        entry = yaml.load(text, LOADER)
    except yaml.YAMLError:
        return None
    return _record(entry) if isinstance(entry, dict) else None


def _record(entry: Mapping[str, Any]) -> Record:
    command = entry.get("cmd", "")
    deps, outs = (
        tuple((item["path"], item["md5"]) for item in entry.get(kind) or () if item.get("md5"))
        for kind in ("deps", "outs")
    )
    return Record(command if isinstance(command, str) else " && ".join(command), deps, outs)


def _refs() -> list[Ref]:
    found = []
    for line in git("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)").splitlines():
        name, *objects = line.split()
        if name in QUEUES:  # a stack of commits, "dvc-exp:head:baseline:name", of which the ref leads to the last
            for entry in git("reflog", "show", "--format=%H %s", name, check=False).splitlines():
                commit, _, subject = entry.partition(" ")
                found.append(Ref(name, commit, (subject.split(":") + [""] * 4)[3] or commit[:7]))
        else:
            parts = name.split("/")
            short = parts[4:] if name.startswith("refs/exps/") and len(parts) > 4 else parts[2:]
            found.append(Ref(name, objects[-1], "/".join(short) or name))  # of an annotated tag, what it tags
    return found
