"""What the user's own sources share: deliveries in the folder ``sources``, and what they state of a photo.

A delivery is a name in the folder. Deliveries are taken in the order of their names, and each makes its own shards
of the pool, so that a later one rewrites none of an earlier one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from debugset.base.names import counted_kinds, some
from debugset.pool.names import require_name
from debugset.pool.rights.licences import LICENCES, NONE_STATED
from debugset.pool.text_search import clean_text
from debugset.pool.values import without_fraction

_OURS = {"README.md"}  # in the folder of every checkout
_NO_LICENCE = {"", "?", "nan"}  # LAION's, and what pandas writes into gaps
_LICENCE_IDS = {str(number): number for number in LICENCES} | dict.fromkeys(_NO_LICENCE, NONE_STATED)


def list_deliveries(folder: Path, is_delivery: Callable[[Path], bool], kind: str) -> list[Path]:
    """The deliveries in the folder ``sources``, in the order of their names; says what else, no ``kind``, lies there.

    Raises:
        ValueError: there is none, two have one name, or a name is odd.
    """
    entries = []
    if folder.is_dir():
        entries = [path for path in folder.iterdir() if path.name not in _OURS and not is_hidden(path.name)]
    deliveries = sorted(filter(is_delivery, entries), key=_delivery_name)
    if not deliveries:
        instead = f", but {some(_names(entries))}" if entries else ""
        raise ValueError(f"{folder.name}: holds no {kind}{instead}; put it there, or choose another scrape.endpoint")
    for path in deliveries:
        require_name(_delivery_name(path), f"{folder.name}/{path.name}")
    for path, following in pairwise(deliveries):
        if _delivery_name(path) == _delivery_name(following):
            raise ValueError(f"{folder.name}: {path.name} and {following.name} are one name; rename the later delivery")
    others = _names(path for path in entries if path not in deliveries)
    mention(folder.name, f"what is no {kind}", len(others), others)
    return deliveries


def _names(paths: Iterable[Path]) -> list[str]:
    return sorted(path.name for path in paths)


def _delivery_name(path: Path) -> str:
    """The name of a delivery: a folder's name, or a file's without its last suffix."""
    return path.name if path.is_dir() else path.stem


def is_hidden(name: str) -> bool:
    """Whether a file or folder is never part of a source: hidden ones and those of DVC."""
    return name.startswith(".") or name.endswith(".dvc")


def require_class(name: str, classes: Sequence[str], where: str) -> None:
    """See to it that a class is known; `ValueError` if it is not."""
    if name not in classes:
        raise ValueError(f"{where}: {name!r} is not a class; choose from {some(classes)}")


def mention(where: str, what: str, count: int, which: Sequence[str] = ()) -> None:
    """Print how much was passed over, if any was, and which, if that is given."""
    if count:
        told = f" ({some(which)})" if which else ""
        print(clean_text(f"scrape: {where}: {what} passed over: {count:,}{told}"), flush=True)


def mention_kinds(where: str, what: str, kinds: Counter[str]) -> None:
    """Print how much was passed over, if any was, and how much of each kind, the most frequent first."""
    mention(where, what, kinds.total(), counted_kinds(kinds))


def licence_id(text: str) -> int | None:
    """Flickr's id of a licence: `NONE_STATED` for none, None for what is no such id."""
    return _LICENCE_IDS.get(without_fraction(text.strip()).lower())
