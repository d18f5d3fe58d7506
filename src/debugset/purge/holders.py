"""What holds a photo. Pure.

Content tells it of an image set (its manifest, and the shard with the photo) and of a table (a column of ids). How
much of a photo is left in features, models, texts and pictures, nobody can tell. So a run that read or wrote what
holds it loses all that it wrote, and so does every run that read that in turn; save what a run without the photo
wrote too, byte for byte.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from dvc_data.hashfile.tree import Tree

from debugset.base.paths import ATTRIBUTED, POOL, SETS, WORLD
from debugset.images.sets import MANIFEST
from debugset.purge.content import photo_shards, table_names
from debugset.purge.history import Record

# What nobody collected: the simulator's outside and the datasets are as little ours to purge as Flickr is.
_GIVEN = (WORLD, SETS, ATTRIBUTED)

_Read = Callable[[str], bytes | None]
_Kinds = dict[str, tuple[str, str]]  # MD5 of an object -> kind, path


class Holder(NamedTuple):
    """An object that holds a photo."""

    kind: str  # manifest, shard, table, derived (made from one of these) or folder (the list of a folder's files)
    path: str  # where a version has it
    tops: frozenset[str]  # MD5 of the objects through which records name it: itself, or the lists of folders


class _Out(NamedTuple):
    """Something that a run wrote."""

    path: str
    files: dict[str, str]  # path -> MD5; none if it is a folder whose list is nowhere
    shards: frozenset[str] | None  # with a photo, if it is an image set whose manifest can be read; None if it is not


def find_holders(records: Collection[Record], ids: Collection[str], read: _Read) -> dict[str, Holder]:
    """All objects that hold one of the photos, or may, by MD5.

    Args:
        records: of all versions and runs.
        ids: of the photos.
        read: from an object's MD5 to its content, or None if it is nowhere.
    """
    outs = _read_outs(records, ids, read)
    kinds = _judge_content(outs.values(), ids, read)
    kinds |= _follow_runs(records, outs, kinds)
    tops: dict[str, set[str]] = {}
    for top, out in outs.items():
        held = kinds.keys() & out.files.values()
        if held and top.endswith(".dir"):
            kinds[top] = ("folder", out.path)
            held.add(top)
        for md5 in held:
            tops.setdefault(md5, set()).add(top)
    return {md5: Holder(kind, path, frozenset(tops[md5])) for md5, (kind, path) in kinds.items()}


def _read_outs(records: Iterable[Record], ids: Collection[str], read: _Read) -> dict[str, _Out]:
    """What runs wrote, by the MD5 that records name; what they read of the same paths may come of runs unknown."""
    written: set[str] = set()
    for record in records:
        written |= dict(record.outs).keys()
    outs: dict[str, _Out] = {}
    for record in records:
        for path, top in record.outs + record.deps:
            if path in written and top not in outs:
                files = _list_files(path, top, read)
                outs[top] = _Out(path, files, _find_shards(path, files, ids, read))
    return outs


def _list_files(path: str, top: str, read: _Read) -> dict[str, str]:
    if not top.endswith(".dir"):
        return {path: top}
    files = {}
    for entry in json.loads(read(top) or b"[]"):
        files[f"{path}/{entry['relpath']}"] = entry["md5"]
    return files


def _find_shards(path: str, files: Mapping[str, str], ids: Collection[str], read: _Read) -> frozenset[str] | None:
    for folder in _GIVEN:
        if PurePosixPath(path).is_relative_to(folder):
            return frozenset()
    manifest = files.get(f"{path}/{MANIFEST}")
    content = read(manifest) if manifest else None
    return None if content is None else photo_shards(content, ids)


def _judge_content(outs: Iterable[_Out], ids: Collection[str], read: _Read) -> _Kinds:
    """The files whose content names a photo, or holds it."""
    kinds: _Kinds = {}
    judged: set[str] = set()  # a table is read once, however many versions have it
    for out in outs:
        for path, md5 in out.files.items():
            name = path.rpartition("/")[2]
            if out.shards:
                if name == MANIFEST or name in out.shards:
                    kinds[md5] = ("manifest" if name == MANIFEST else "shard", path)
            elif out.shards is None and name.endswith(".parquet") and md5 not in judged:
                judged.add(md5)
                content = read(md5)
                if content is not None and table_names(content, ids):
                    kinds[md5] = ("table", path)
    return kinds


def _follow_runs(records: Iterable[Record], outs: Mapping[str, _Out], kinds: _Kinds) -> _Kinds:
    """What runs made from holders, and runs from that, without what a run without the photo wrote too."""
    folders = _folder_files(records, outs)
    derived: _Kinds = {}
    while True:  # a round goes a stage further down the pipeline
        held = kinds.keys() | derived.keys()
        touched = held | {folder for folder, files in folders.items() if not files.isdisjoint(held)}
        suspect: _Kinds = {}
        clean: set[str] = set()
        for record in records:
            tainted, known = record.names(touched), _is_pool_known(record, outs)
            for _, top in record.outs:
                if not tainted and known:
                    clean.update(outs[top].files.values())
                elif tainted and outs[top].shards is None:  # of an image set, content has told all
                    for path, md5 in outs[top].files.items():
                        suspect[md5] = ("derived", path)
        for md5 in clean | held:
            suspect.pop(md5, None)
        if not suspect:
            return derived
        derived |= suspect


def _is_pool_known(record: Record, outs: Mapping[str, _Out]) -> bool:
    """Whether the list of the pool that a run read or wrote is there; else nobody knows what the pool had."""
    for path, md5 in record.deps + record.outs:
        if path == str(POOL) and not (md5 in outs and outs[md5].files):
            return False
    return True


def _folder_files(records: Iterable[Record], outs: Mapping[str, _Out]) -> dict[str, set[str]]:
    """The files of every folder that was read or written, by its MD5.

    A stage may read a folder inside an out. Its record names the list of that folder's files, which is kept nowhere;
    its MD5 is reckoned as DVC does.
    """
    read: set[str] = set()
    for record in records:
        read |= dict(record.deps).keys()
    folders: dict[str, set[str]] = {}
    for top, out in outs.items():
        folders[top] = set(out.files.values())
        for folder in read:
            if folder.startswith(f"{out.path}/"):
                inside = _files_inside(folder, out.files)
                content = Tree.from_list(inside).as_bytes()
                digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
                folders[f"{digest}.dir"] = {file["md5"] for file in inside}
    return folders


def _files_inside(folder: str, files: Mapping[str, str]) -> list[dict[str, str]]:
    inside = []
    for path, md5 in files.items():
        if path.startswith(f"{folder}/"):
            inside.append({"relpath": path.removeprefix(f"{folder}/"), "md5": md5})
    return inside
