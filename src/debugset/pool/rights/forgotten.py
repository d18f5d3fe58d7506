"""Forgetting photos: the list of ids that are never collected again, and what the spools know of them."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from debugset.base.files import read_parquet, replacing_file
from debugset.images.sets import MANIFEST
from debugset.pool.names import is_name
from debugset.pool.spool import Spool, is_running, list_spools
from debugset.pool.values import without_fraction

_HTTP = r"(?:https?://)?"
_PAGE = re.compile(_HTTP + r"(?:www\.|m\.)?flickr\.com/photos/[^/?#]+/(\d+)(?:[/?#].*)?", re.ASCII | re.IGNORECASE)
_FILE = re.compile(  # live.staticflickr.com, farm1.static.flickr.com
    _HTTP + r"(?:[a-z0-9]+\.)?static\.?flickr\.com/(?:[^/?#]+/)+(\d+)_[^/]*", re.ASCII | re.IGNORECASE
)


class Summary(NamedTuple):
    """The ids that the list did not have yet, how many it has now, and what spools knew of each id.

    ``removed``: id -> spool name -> how many of its files and search results were removed there.
    """

    added: list[str]
    listed: int
    removed: Mapping[str, Mapping[str, int]]


def read_forgotten(path: Path) -> frozenset[str]:
    """The ids of forgotten photos: one a line, beside empty lines and comments (``#``).

    An id that a table of addresses wrote as a float (``7.0``) is there as the whole number too, which scrapes take it
    for. `FileNotFoundError` if there is no such file, `ValueError` if a line is no id.
    """
    ids = _read_list(path)[1]
    return frozenset(ids | set(map(without_fraction, ids)))


def forget(ids: Iterable[str], path: Path, spool_folder: Path) -> Summary:
    """Add ids to the list of forgotten photos, and remove all that the spools know of them.

    Args:
        ids: of photos, as `photo_id` gives them; those already listed leave the spools all the same.
        path: the list; it is kept sorted, its comments before the ids.
        spool_folder: the folder for what may be fetched again.

    Raises:
        FileNotFoundError: there is no such list.
        ValueError: a line of the list is no id, or a scrape is running; then nothing was changed.
        OSError: a file cannot be read or written.
    """
    ids, spools = list(dict.fromkeys(ids)), sorted(list_spools(spool_folder))
    comments, listed = _read_list(path)
    for file in spools:
        if is_running(file):
            raise ValueError(f"{file}: a scrape is running on this spool; wait for its end or stop it, then run again")
    added = [photo for photo in ids if photo not in listed]
    if added:  # first of all: what is listed is never fetched again, whatever happens next
        with replacing_file(path) as temporary:
            text = "\n".join([*comments, *sorted({*listed, *added}), ""])
            temporary.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")
    removed: dict[str, dict[str, int]] = {photo: {} for photo in ids}
    for file in spools:
        with Spool(file) as spool, spool.lock():
            for photo, count in spool.forget(ids).items():
                removed[photo][file.stem] = count
    return Summary(added, len({*listed, *added}), removed)


def photo_id(text: str) -> str:
    """The id that a text gives: an id itself, or the address of a photo's page or file at Flickr; else `ValueError`."""
    address = _PAGE.fullmatch(text) or _FILE.fullmatch(text)
    if address is None and not is_name(text):
        raise ValueError(
            f"{text!r} is no photo; give an id (as in data/pool: A-Z a-z 0-9 . _ -) or a Flickr photo's address"
        )
    return address[1] if address else text


def ids_in_pool(ids: Collection[str], pool: Path) -> set[str]:
    """Those of the ids that a pool holds; none if there is no pool."""
    if not (pool / MANIFEST).is_file():
        return set()
    return set(read_parquet(pool / MANIFEST, columns=["id"])["id"]) & set(ids)


def describe(summary: Summary, in_pool: Collection[str]) -> str:
    """What was forgotten, what of it the pool still holds, and what to do next, in a few lines."""
    lines = [f"forgotten.txt: {len(summary.added):,} added, {summary.listed:,} in all"]
    for photo, removed in summary.removed.items():
        known = ["in data/pool"] if photo in in_pool else []
        for name, count in removed.items():
            known.append(f"removed from the spool {name} (files and search results: {count:,})")
        told = "; ".join(known) or "neither in data/pool nor in a spool; it will never be collected"
        lines.append(f"{photo}: {told}")
    lines.append("next: `dvc repro` (takes them out of the pool and of all that follows), then `git commit -a`,")
    then = "then `debugset pool purge`, which lists what older versions still hold and removes it when you say yes"
    return "\n".join([*lines, then])


def _read_list(path: Path) -> tuple[list[str], set[str]]:
    """The comments and the ids of a list."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: is missing; restore it (`git checkout {path.name}`)")
    comments, ids = [], set()
    text = path.read_text(encoding="utf-8", errors="surrogateescape")  # a comment may be in any encoding
    for row, line in enumerate(map(str.strip, text.split("\n")), start=1):
        if line.startswith("#"):
            comments.append(line)
        elif line:
            if not is_name(line):
                raise ValueError(f"{path}: row {row}: {line!r} is no id; use A-Z a-z 0-9 . _ - alone, one id a line")
            ids.add(line)
    return comments, ids
