"""What holds a photo: judged by content where content can tell, else by what it was made from. Pure.

An image set holds it in its manifest and in one shard; a table by its id; features in the array of its shard.
A text that has the id as a word may mean something else, so it counts only in a run with one of those. Models and
pictures tell nothing: a model holds the photo if it was among its training images, a picture if it was drawn from
a pool that has it. What a run without the photo wrote too, byte for byte, does not hold it.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from debugset.images.sets import MANIFEST, TAR
from debugset.purge.content import Manifest, manifest, table, table_names, text_names
from debugset.purge.versions import Record

POOL, DEDUP, PICKS, MODELS = "data/pool", "data/dedup", "data/picks/", "models/variants/"
WORLD = "data/world"  # the simulator's outside: as little ours to purge as Flickr is
ALL_FEATURES = "features of a set"  # one file for all shards, as versions before 2 had them
TEXTS, PICTURES = {".html", ".json", ".csv", ".txt"}, {".html", ".png", ".jpg", ".svg"}

Read = Callable[[str], bytes | None]
Kinds = dict[str, tuple[str, str]]  # object -> kind, path


class Held(NamedTuple):
    """An object that holds a photo.

    Attributes:
        kind: manifest, shard, table, text, features (or `ALL_FEATURES`), model, picture, or folder: the list of a
            folder's files.
        path: where a version has it.
        tops: the objects through which records name it: itself, or the lists of folders.
    """

    kind: str
    path: str
    tops: frozenset[str]


class Out(NamedTuple):
    """Something that a run wrote: its path, and path -> object of its files; no files if it is nowhere."""

    path: str
    files: dict[str, str]


def find_holders(records: Collection[Record], ids: Collection[str], read: Read) -> dict[str, Held]:
    """All objects that hold one of the photos.

    Args:
        records: of all versions and runs.
        ids: of the photos.
        read: an object's content, or None if it is nowhere.

    Returns:
        Object -> what it is.
    """
    outs = _outs(records, read)
    manifests = _manifests(outs, ids, read)
    holding = {top: found for top, found in manifests.items() if found.shards}
    kinds: Kinds = {}
    for top, out in outs.items():
        if top in holding:
            kinds |= _of_set(out.files, holding[top])
        elif top not in manifests:
            kinds |= _tables(out.files, ids, read)
            kinds |= _features(out.files, holding.values(), read)
    kinds |= _by_run(records, outs, kinds, holding, ids, read)

    tops: dict[str, set[str]] = {}
    for top, out in outs.items():
        held = [object for object in out.files.values() if object in kinds]
        for object in [*held, top] if held else []:
            tops.setdefault(object, set()).add(top)
        if held and top.endswith(".dir"):
            kinds[top] = ("folder", out.path)
    return {object: Held(kind, path, frozenset(tops[object])) for object, (kind, path) in kinds.items()}


def _outs(records: Iterable[Record], read: Read) -> dict[str, Out]:
    """What records wrote, by the objects that they name; lists of folders are read."""
    outs: dict[str, Out] = {}
    for path, top in dict.fromkeys(out for record in records for out in record.outs):
        if path != WORLD and top not in outs:
            outs[top] = Out(path, _listed(path, read(top)) if top.endswith(".dir") else {path: top})
    return outs


def _listed(folder: str, content: bytes | None) -> dict[str, str]:
    return {f"{folder}/{entry['relpath']}": entry["md5"] for entry in json.loads(content or b"[]")}


def _manifests(outs: Mapping[str, Out], ids: Collection[str], read: Read) -> dict[str, Manifest]:
    """The manifests of image sets, by the objects that name the sets."""
    found = {}
    for top, out in outs.items():
        file = out.files.get(f"{out.path}/{MANIFEST}")
        if file and (content := read(file)) is not None:
            found[top] = manifest(content, ids)
    return found


def _of_set(files: Mapping[str, str], found: Manifest) -> Kinds:
    """An image set's manifest and the shards with a photo; the other shards hold none."""
    named = ((PurePosixPath(path).name, path, object) for path, object in files.items())
    return {
        object: ("manifest" if name == MANIFEST else "shard", path)
        for name, path, object in named
        if name == MANIFEST or name in found.shards
    }


def _tables(files: Mapping[str, str], ids: Collection[str], read: Read) -> Kinds:
    """Tables that name a photo."""
    tables = ((path, object) for path, object in files.items() if path.endswith(".parquet"))
    return {
        object: ("table", path)
        for path, object in tables
        if (content := read(object)) is not None and table_names(content, ids)
    }


def _features(files: Mapping[str, str], holding: Iterable[Manifest], read: Read) -> Kinds:
    """The arrays beside a JSON that names a manifest with a photo: of its shards, or (once) of the whole set."""
    shards = {found.sha256: found.shards for found in holding}
    kinds: Kinds = {}
    for path, object in files.items():
        if not shards or not path.endswith(".json") or b'"manifest_sha256"' not in (content := read(object) or b""):
            continue
        held, stem = shards.get(json.loads(content)["manifest_sha256"], frozenset()), path.removesuffix(".json")
        arrays = {f"{stem}/{shard.removesuffix(TAR)}.npy": "features" for shard in held}
        arrays |= {f"{stem}.npy": ALL_FEATURES} if held else {}
        kinds |= {files[array]: (kind, array) for array, kind in arrays.items() if array in files}
    return kinds


def _by_run(
    records: Iterable[Record],
    outs: Mapping[str, Out],
    kinds: Kinds,
    holding: Mapping[str, Manifest],
    ids: Collection[str],
    read: Read,
) -> Kinds:
    """Texts, pictures and models of the runs that read or wrote what holds a photo (``kinds``)."""
    touched = {top for top, out in outs.items() if not kinds.keys().isdisjoint(out.files.values())}
    found: Kinds = {}
    without: set[str] = set()  # what runs without the photo wrote
    for record in records:
        deps = dict(record.deps)
        written = [(path, outs[top].files) for path, top in record.outs if top in outs]
        if not record.names(touched):
            pool = deps.get(POOL)
            if pool is None or (pool in outs and outs[pool].files):  # else nobody knows what the pool had
                without.update(object for _, files in written for object in files.values())
            continue
        drawn = not holding.keys().isdisjoint(deps.values())
        for path, files in written:
            found |= _texts(files, ids, read)
            found |= {
                object: ("picture", name) for name, object in files.items() if drawn and _suffix(name) in PICTURES
            }
            if drawn and path.startswith(MODELS) and _trained_on(path.removeprefix(MODELS), deps, outs, ids, read):
                found |= {object: ("model", name) for name, object in files.items()}
    return {object: kind for object, kind in found.items() if object not in without}


def _texts(files: Mapping[str, str], ids: Collection[str], read: Read) -> Kinds:
    """Texts that name a photo."""
    texts = ((path, object) for path, object in files.items() if _suffix(path) in TEXTS)
    return {
        object: ("text", path)
        for path, object in texts
        if (content := read(object)) is not None and text_names(content, ids)
    }


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix


def _trained_on(
    variant: str, deps: Mapping[str, str], outs: Mapping[str, Out], ids: Collection[str], read: Read
) -> bool:
    """Whether a variant's training images may have held a photo of the pool; yes, where its tables are nowhere.

    ``dcd-*`` adds debug-train; ``complete`` adds what the leak filter keeps, without de-val, and ``random``
    draws from the same (`debugset.dcd.variants.added_images`).
    """
    picked = next((read(object) for path, object in deps.items() if path.startswith(PICKS)), None)
    if picked is None:
        return True
    picks = table(picked, ["role", "image_id"])
    mine = picks[picks["image_id"].isin(list(ids))]
    if variant.startswith("dcd-"):
        return bool((mine["role"] == "train").any())
    filtered = outs.get(deps.get(DEDUP, ""), Out("", {})).files.get(f"{DEDUP}/keep.parquet")
    content = read(filtered) if filtered else None
    if content is None:
        return True
    keep = table(content, ["image_id", "keep"])
    candidates = set(keep.loc[keep["keep"], "image_id"]) - set(picks.loc[picks["role"] == "deval", "image_id"])
    return not candidates.isdisjoint(ids)
