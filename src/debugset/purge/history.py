"""What git and DVC know of versions: each commit's ``dvc.lock``, the refs that lead to commits, records of runs."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from debugset.base.git import git
from debugset.versions.lock import LOADER

LOCK = "dvc.lock"
QUEUES = ("refs/exps/celery/stash", "refs/exps/celery/failed", "refs/exps/stash")  # as DVC names them
_PASSING = "refs/exps/exec/"  # names that DVC gives while an experiment runs, and leaves behind
_WORK = "refs/exps/apply/"  # what `dvc exp apply` put aside is somebody's work, as a branch or a stash is


@dataclass(frozen=True)
class Record:
    """A run of a stage."""

    command: str
    deps: tuple[tuple[str, str], ...]  # path, MD5 of what it read, git's files included
    outs: tuple[tuple[str, str], ...]  # the same of what it wrote

    @cached_property
    def _read_and_written(self) -> set[str]:
        return {md5 for _, md5 in self.deps + self.outs}

    def names(self, objects: Iterable[str]) -> bool:
        """Whether it read or wrote one of these objects, given by their MD5."""
        return not self._read_and_written.isdisjoint(objects)


class Ref(NamedTuple):
    """A git ref and a commit that it leads to."""

    name: str  # in full
    commit: str
    short: str  # the name as people say it

    @property
    def kind(self) -> str:
        """``tag``, ``experiment`` or ``queued`` (an experiment yet to run); "" for what purging never touches."""
        if self.name in QUEUES:
            return "queued"
        if self.name.startswith("refs/exps/") and not self.name.startswith(_WORK):
            return "experiment"
        return "tag" if self.name.startswith("refs/tags/") else ""


class History(NamedTuple):
    """All that git knows of versions."""

    commits: dict[str, list[Record]]  # the records of its lock file, if any; commits that only a reflog names included
    refs: list[Ref]  # branches, tags, experiments, queued experiments one by one

    def commits_that_name(self, objects: Collection[str]) -> set[str]:
        """The commits whose lock files name one of these objects."""
        commits = set()
        for commit, records in self.commits.items():
            for record in records:
                if record.names(objects):
                    commits.add(commit)
                    break
        return commits

    def names(self, commits: Collection[str]) -> list[str]:
        """What people call commits: the tags, experiments and branches that lead to them, else their short hashes."""
        names = []
        for ref in self.refs:
            if ref.commit in commits and not ref.name.startswith(_PASSING):
                names.append(ref.short)
        return names or [commit[:7] for commit in self.commits if commit in commits]


def read_history() -> History:
    """Read all versions from the git repository of the current folder; an OSError if git cannot be run here."""
    commits = git("rev-list", "--all", "--reflog").split()
    end = f":{LOCK}\n"
    answers = git("cat-file", "--batch-check", stdin=end.join([*commits, ""])).splitlines()
    records: dict[str, list[Record]] = {}
    known: dict[str, list[Record]] = {}  # many commits share a lock file
    for commit, answer in zip(commits, answers, strict=True):
        blob, kind, *_ = answer.split()  # the second word is "missing" where there is no lock file
        if kind == "blob" and blob not in known:
            known[blob] = lock_records(git("cat-file", "blob", blob))
        records[commit] = known.get(blob, [])
    refs = [ref for ref in _read_refs() if ref.commit in records]  # a tag may name a file
    return History(records, refs)


def read_current() -> list[Record]:
    """The records of the lock files of the working tree and of HEAD: the version that must stay whole."""
    path = Path(LOCK)
    records = lock_records(path.read_text(encoding="utf-8")) if path.is_file() else []
    return records + lock_records(git("show", f"HEAD:{LOCK}", check=False))


def remaining_commits(refs: Iterable[Ref], among: Collection[str]) -> list[str]:
    """Short hash, day and subject of those commits that HEAD or these refs lead to, newest first."""
    ends = {"HEAD"}
    for ref in refs:
        ends.add(ref.commit)
    reachable = git("rev-list", "--stdin", stdin="\n".join(ends)).split()
    commits = [commit for commit in reachable if commit in among]
    if not commits:
        return []  # asked for none, git would tell of HEAD
    return git("log", "--no-walk=unsorted", "--format=%h %as %s", "--stdin", stdin="\n".join(commits)).splitlines()


def remove_ref(name: str, commit: str) -> None:
    """Remove a tag or an experiment, if it still leads to this commit."""
    for ref in _read_refs():
        if (ref.name, ref.commit) == (name, commit):
            git("update-ref", "--no-deref", "-d", name)


def lock_records(text: str) -> list[Record]:
    """The records of a lock file."""
    stages = (yaml.load(text, LOADER) or {}).get("stages") or {}
    return list(map(_make_record, stages.values()))


def run_record(text: str) -> Record | None:
    """The record in a file of the run cache; None if it is not one."""
    try:
        entry = yaml.load(text, LOADER)
    except yaml.YAMLError:
        return None
    return _make_record(entry) if isinstance(entry, dict) else None


def _make_record(entry: Mapping[str, Any]) -> Record:
    command = entry.get("cmd", "")
    if not isinstance(command, str):
        command = " && ".join(command)
    return Record(command, _objects(entry.get("deps")), _objects(entry.get("outs")))


def _objects(items: Iterable[Mapping[str, str]] | None) -> tuple[tuple[str, str], ...]:
    return tuple((item["path"], item["md5"]) for item in items or () if item.get("md5"))


def _read_refs() -> list[Ref]:
    refs = []
    for line in git("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)").splitlines():
        name, *objects = line.split()
        if name in QUEUES:
            refs += _read_queue(name)
            continue
        parts = name.split("/")
        # An experiment is refs/exps/<two digits of its baseline>/<the rest>/<name>, a branch refs/heads/<name>.
        short = parts[4:] if name.startswith("refs/exps/") and len(parts) > 4 else parts[2:]
        refs.append(Ref(name, objects[-1], "/".join(short) or name))  # the last object is what a tag with a text tags
    return refs


def _read_queue(name: str) -> list[Ref]:
    """A queue is a stack of commits, "dvc-exp:head:baseline:name", of which the ref leads to the last."""
    refs = []
    for entry in git("reflog", "show", "--format=%H %s", name, check=False).splitlines():
        commit, _, subject = entry.partition(" ")
        fields = subject.split(":")
        short = fields[3] if len(fields) > 3 else ""
        refs.append(Ref(name, commit, short or commit[:7]))
    return refs
