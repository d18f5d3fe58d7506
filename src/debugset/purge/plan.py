"""What purging removes: from refs, records and objects to a list of steps, in the order in which they are taken."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import NamedTuple

from debugset.base.paths import POOL
from debugset.images.sets import MANIFEST
from debugset.purge.content import photo_shards
from debugset.purge.history import LOCK, History, Record, read_current, read_history, remaining_commits, run_record
from debugset.purge.holders import Holder, find_holders
from debugset.purge.spool import spool_files
from debugset.purge.stores import LOCAL, Contents, Store

# What the finding rests on goes last: first what only its making gives away, then tables, then manifests and lists
# of folders, then records of runs, then refs. So most of what a killed purge leaves is found again; for the rest
# (a record whose objects are gone tells nothing any more) `debugset.purge.removal` keeps the list of steps.
REFS = ("tag", "experiment", "queued")
FINDING = ("run", *REFS)  # they hold no photo themselves: by them objects are found, wherever these lie
_ORDER = ("spool", "derived", "shard", "table", "manifest", "folder", *FINDING)
_NAMED_VERSIONS = 3  # of more, the rest is "…"


class Step(NamedTuple):
    """One thing that is removed from one place; to take a step twice does no harm."""

    kind: str  # of a `debugset.purge.holders.Holder`, or run, tag, experiment, queued, spool
    name: str  # what people call it: a path, a command, a tag
    versions: str  # which name it
    size: int  # in bytes; 0 for refs
    place: str  # the name of the store
    key: str  # the object's MD5, the record's name, the ref or the file
    commit: str = ""  # of a ref


class Plan(NamedTuple):
    """What holds photos."""

    steps: list[Step]  # what is removed, in order
    commits: list[str]  # hash, day and subject of those that stay though their data can no longer be restored
    unknown: int  # how many folders and tables that versions name are nowhere, so that nobody can look into them


def make_plan(ids: Collection[str], stores: Sequence[Store], spool: Path) -> Plan:
    """Find all that holds one of the photos; nothing is changed.

    Args:
        ids: of the photos.
        stores: the cache first, then remotes.
        spool: the folder for what can be computed again.

    Raises:
        ValueError: the current version still holds a photo.
        OSError: git, the cache or a remote cannot be read.
    """
    history, runs, contents = read_history(), _read_runs(stores), Contents(stores)
    current = read_current()
    records = dict.fromkeys(current)  # in order, each once
    for of_commit in history.commits.values():
        records |= dict.fromkeys(of_commit)
    for record, _ in runs.values():
        records[record] = None
    holders = find_holders(records.keys(), ids, contents.read)
    _check_current(current, holders, ids)

    affected = history.commits_that_name(holders)
    steps, staying = [], set()
    for ref in history.refs:
        if ref.kind and ref.commit in affected:
            steps.append(Step(ref.kind, ref.short, ref.commit[:7], 0, LOCAL, ref.name, ref.commit))
        else:
            staying.add(ref)
    steps += _object_steps(holders, history, stores)
    steps += _run_steps(runs, holders)
    for file, why in spool_files(spool, holders) if ids else ():
        steps.append(Step("spool", f"{file.parent}: {why}", "", file.stat().st_size, LOCAL, str(file)))
    return Plan(sort_steps(steps), remaining_commits(staying, affected), len(contents.missing))


def sort_steps(steps: Iterable[Step]) -> list[Step]:
    """Steps, each once, in the order in which they are taken."""
    return sorted(dict.fromkeys(steps), key=lambda step: _ORDER.index(step.kind))


def _read_runs(stores: Sequence[Store]) -> dict[str, tuple[Record, list[Store]]]:
    """The records of all run caches by name, each with the stores that have it."""
    runs: dict[str, tuple[Record, list[Store]]] = {}
    for store in stores:
        for name in store.runs():
            if name in runs:
                runs[name][1].append(store)
            elif record := run_record(store.read_run(name)):
                runs[name] = (record, [store])
    return runs


def _check_current(current: Sequence[Record], holders: Mapping[str, Holder], ids: Collection[str]) -> None:
    """Refuse to take away what the current version needs, and an older pool in the working tree than it names."""
    for record in current:
        for path, md5 in record.outs + record.deps:
            if md5 in holders:
                raise ValueError(
                    f"{LOCK}: {path}, as the current version names it, still holds a forgotten photo; "
                    f"run `dvc repro`, commit {LOCK}, then purge"
                )
    manifest = POOL / MANIFEST
    if manifest.is_file() and photo_shards(manifest.read_bytes(), ids):
        raise ValueError(f"{POOL}: holds a forgotten photo, unlike {LOCK}; run `dvc checkout`, then purge")


def _object_steps(holders: Mapping[str, Holder], history: History, stores: Sequence[Store]) -> list[Step]:
    steps = []
    for md5, holder in holders.items():
        names = history.names(history.commits_that_name(holder.tops))
        if len(names) > _NAMED_VERSIONS:
            names[_NAMED_VERSIONS:] = ["…"]
        for store in stores:
            size = store.size(md5)
            if size is not None:
                steps.append(Step(holder.kind, holder.path, ", ".join(names), size, store.name, md5))
    return steps


def _run_steps(runs: Mapping[str, tuple[Record, list[Store]]], held: Collection[str]) -> list[Step]:
    steps = []
    for name, (record, stores) in runs.items():
        if record.names(held):
            command = shorten(record.command, 60, placeholder=" …")
            for store in stores:
                steps.append(Step("run", command, "", 0, store.name, name))
    return steps
