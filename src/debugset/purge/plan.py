"""What purging removes: from refs, records and objects to a list of steps, in the order in which they are taken."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from textwrap import shorten
from typing import NamedTuple

from debugset.images.sets import MANIFEST
from debugset.purge.content import manifest
from debugset.purge.holders import ALL_FEATURES, POOL, Held, find_holders
from debugset.purge.spool import spool_files
from debugset.purge.stores import LOCAL, Contents, Store
from debugset.purge.versions import LOCK, History, Record, Ref, current, history, reachable, run_record, subject

# What the finding rests on goes last: first what only its making gives away, then tables, then manifests and lists
# of folders, then records of runs, then refs. So most of what a killed purge leaves is found again; for the rest
# (a record whose objects are gone tells nothing any more) `debugset.purge.removal` keeps the list of steps.
REFS = ("tag", "experiment", "queued")
FINDING = ("run", *REFS)  # they hold no photo themselves: by them objects are found, wherever these lie
_ORDER = (
    "spool",
    "model",
    "picture",
    "features",
    ALL_FEATURES,
    "shard",
    "text",
    "table",
    "manifest",
    "folder",
    *FINDING,
)


class Step(NamedTuple):
    """One thing that is removed from one place; to take a step twice does no harm.

    Attributes:
        kind: a kind of `debugset.purge.holders.Held`, ``run``, ``tag``, ``experiment``, ``queued`` or ``spool``.
        name: what people call it: a path, a command, a tag.
        versions: which versions name it.
        size: in bytes; 0 for refs.
        place: the name of the store.
        key: the object, the record's name, the ref or the file.
        commit: of a ref.
    """

    kind: str
    name: str
    versions: str
    size: int
    place: str
    key: str
    commit: str = ""


class Plan(NamedTuple):
    """What holds photos.

    Attributes:
        steps: what is removed, in order.
        commits: hash, day and subject of commits that stay though their data can no longer be restored.
        unknown: how many folders and tables that versions name are nowhere, so that nobody can look into them.
    """

    steps: list[Step]
    commits: list[str]
    unknown: int


def find(ids: Collection[str], stores: Sequence[Store], spool: Path) -> Plan:
    """Find all that holds one of the photos; nothing is changed.

    Args:
        ids: of the photos.
        stores: the cache first, then remotes.
        spool: the folder for what can be computed again.

    Raises:
        ValueError: the current version still holds a photo.
        OSError: git, the cache or a remote cannot be read.
    """
    known, runs, contents = history(), _runs(stores), Contents(stores)
    now = current()
    of_versions = [record for commit in known.commits.values() for record in commit]
    records = list(dict.fromkeys([*now, *of_versions, *(record for record, _ in runs.values())]))
    held = find_holders(records, ids, contents.read)
    _check_current(now, held)
    _check_working_tree(ids)
    affected = {
        commit: records
        for commit, records in known.commits.items()
        if any(record.names(held.keys()) for record in records)
    }
    refs = [ref for ref in known.refs if ref.kind and ref.commit in affected]
    steps = [Step(ref.kind, ref.short, ref.commit[:7], 0, LOCAL, ref.name, ref.commit) for ref in refs]
    steps += _object_steps(held, affected, known, stores) + _run_steps(runs, held)
    steps += _spool_steps(spool, held.keys()) if ids else []
    return Plan(in_order(steps), _staying(affected, known, refs), _unknown(contents.missing, records))


def in_order(steps: Iterable[Step]) -> list[Step]:
    """Steps, each once, in the order in which they are taken."""
    return sorted(dict.fromkeys(steps), key=lambda step: _ORDER.index(step.kind))


def _runs(stores: Sequence[Store]) -> dict[str, tuple[Record, list[Store]]]:
    """The records of all run caches by name, each with the stores that have it."""
    runs: dict[str, tuple[Record, list[Store]]] = {}
    for store in stores:
        for name in store.runs():
            if name in runs:
                runs[name][1].append(store)
            elif record := run_record(store.read_run(name)):
                runs[name] = (record, [store])
    return runs


def _check_current(now: Sequence[Record], held: Mapping[str, Held]) -> None:
    """Refuse to take away what the current version needs."""
    for record in now:
        for path, object in (*record.outs, *record.deps):
            if object in held:
                raise ValueError(
                    f"{LOCK}: {path}, as the current version names it, still holds a forgotten photo; "
                    f"run `dvc repro`, commit {LOCK}, then purge"
                )


def _check_working_tree(ids: Collection[str]) -> None:
    """Refuse if the pool that lies in the working tree is an older one than ``dvc.lock`` names."""
    path = Path(POOL, MANIFEST)
    if path.is_file() and manifest(path.read_bytes(), ids).shards:
        raise ValueError(f"{POOL}: holds a forgotten photo, unlike {LOCK}; run `dvc checkout`, then purge")


def _object_steps(
    held: Mapping[str, Held], affected: Mapping[str, Sequence[Record]], known: History, stores: Sequence[Store]
) -> list[Step]:
    found = []
    for object, (kind, path, tops) in held.items():
        commits = [commit for commit, records in affected.items() if any(record.names(tops) for record in records)]
        names = known.names(commits)
        versions = ", ".join([*names[:3], *(["…"] if len(names) > 3 else [])])
        sizes = [(store, store.size(object)) for store in stores]
        found += [Step(kind, path, versions, size, store.name, object) for store, size in sizes if size is not None]
    return found


def _run_steps(runs: Mapping[str, tuple[Record, Sequence[Store]]], held: Mapping[str, Held]) -> list[Step]:
    return [
        Step("run", shorten(record.command, 60, placeholder=" …"), "", 0, store.name, name)
        for name, (record, here) in runs.items()
        if record.names(held.keys())
        for store in here
    ]


def _spool_steps(spool: Path, held: Collection[str]) -> list[Step]:
    return [
        Step("spool", f"{file.parent}: {why}", "", file.stat().st_size, LOCAL, str(file))
        for file, why in spool_files(spool, held)
    ]


def _staying(affected: Mapping[str, object], known: History, removed: Sequence[Ref]) -> list[str]:
    """The affected commits that branches and other refs which stay lead to."""
    if not affected:
        return []
    return [subject(commit) for commit in reachable(set(known.refs) - set(removed)) if commit in affected]


def _unknown(missing: Collection[str], records: Sequence[Record]) -> int:
    """How many of the missing objects are folders or tables; small texts among them live in git."""
    outs = {object: PurePosixPath(path).suffix for record in records for path, object in record.outs}
    return sum(outs.get(object) in ("", ".parquet") for object in missing)
