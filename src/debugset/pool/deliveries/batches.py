"""What the user's own sources share: batches in the folder ``sources``, and the row of a photo in them.

A batch is one delivery, a name in the folder. Batches are taken in the order of their names, and each makes its
own shards of the pool, so that a later one rewrites none of an earlier one.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from debugset.pool.params import ScrapeParams
from debugset.pool.rights.licences import LICENCES
from debugset.pool.source import FOUND_COLUMNS, STATES_NO_LICENCE, Found

_NAME = re.compile(r"[A-Za-z0-9._-]{1,80}")  # a name of a file in a tar, and of a shard
_NAMES_SHOWN = 12
_OURS = {"README.md"}  # in the folder of every checkout
_NO_LICENCE = {"", "?", "nan"}  # LAION's, and what pandas writes into gaps
_LICENCE_IDS = {str(number): number for number in LICENCES} | dict.fromkeys(_NO_LICENCE, STATES_NO_LICENCE)


class FoundPhoto(NamedTuple):
    """A row of `debugset.pool.source.Found`; see there."""

    id: str
    class_name: str
    query: str
    shard: str
    title: str = ""
    tags: str = ""
    licence: int = STATES_NO_LICENCE
    owner: str = ""
    owner_name: str = ""
    uploaded: int = 0
    page: str = ""
    urls: tuple[str, ...] = ()
    fault: str = ""


def batches(folder: Path, is_batch: Callable[[Path], bool], kind: str) -> list[Path]:
    """The batches in the folder of sources, in the order of their names; says what else lies there.

    Args:
        folder: the folder ``sources``.
        is_batch: whether an entry of it is a batch.
        kind: what a batch is, for the messages.

    Raises:
        ValueError: there is none, two have one name, or a name is odd.
    """
    entries = [path for path in folder.iterdir() if not _is_passed_over(path)] if folder.is_dir() else []
    found = sorted(filter(is_batch, entries), key=batch_name)
    if not found:
        raise ValueError(f"{folder.name}: holds no {kind}; put it there, or choose another scrape.endpoint")
    for path in found:
        require_name(batch_name(path), f"{folder.name}/{path.name}")
    for path, following in pairwise(found):
        if batch_name(path) == batch_name(following):
            raise ValueError(f"{folder.name}: {path.name} and {following.name} are one name; rename the later delivery")
    mention(folder.name, f"what is no {kind}", len(entries) - len(found))
    return found


def batch_name(path: Path) -> str:
    """The name of a batch: a folder's name, or a file's without its last suffix."""
    return path.name if path.is_dir() else path.stem


def is_hidden(name: str) -> bool:
    """Whether a file or folder is never part of a source: hidden ones and those of DVC."""
    return name.startswith(".") or name.endswith(".dvc")


def require_name(name: str, where: str) -> None:
    """See to it that a name can be an id or a shard.

    Raises:
        ValueError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{where}: {name!r} is no name; use 1 to 80 of the characters A-Z a-z 0-9 . _ -")


def require_class(name: str, classes: Sequence[str], where: str) -> None:
    """See to it that a class is known.

    Raises:
        ValueError: it is not.
    """
    if name not in classes:
        more = f", ... ({len(classes)} in all)" if len(classes) > _NAMES_SHOWN else ""
        raise ValueError(f"{where}: {name!r} is not a class; choose from {', '.join(classes[:_NAMES_SHOWN])}{more}")


def mention(where: str, what: str, count: int) -> None:
    """Print how much was passed over, if any was."""
    if count:
        print(f"scrape: {where}: {what} passed over: {count:,}", flush=True)


def warn_of_link(folder: Path) -> None:
    """Warn if a folder is a link: DVC hashes what ``sources`` holds but does not follow links to folders."""
    if folder.is_symlink():
        print(
            f"warning: {folder.parent.name}/{folder.name} links to a folder, and DVC does not look there: after a "
            "change, run `dvc repro --force scrape`",
            flush=True,
        )


def licence_id(stated: str) -> int | None:
    """Flickr's id of a licence: `STATES_NO_LICENCE` where none is stated, None for what is no such id."""
    return _LICENCE_IDS.get(stated.strip().removesuffix(".0").lower())  # pandas writes 4.0 beside gaps


def licence_fault(licence: int | None, params: ScrapeParams) -> str:
    """``licence`` if `scrape.licences` does not take a licence or it has no id (None), else ""."""
    return "" if ("unknown" if licence == STATES_NO_LICENCE else licence) in params.licences else "licence"


def found(photos: Iterable[FoundPhoto]) -> Found:
    """What a source without searches found."""
    return Found(pd.DataFrame(list(photos), columns=FOUND_COLUMNS), [])


def _is_passed_over(path: Path) -> bool:
    return path.name in _OURS or is_hidden(path.name)
