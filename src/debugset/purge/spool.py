"""What purging removes from the spool: arrays whose photos cannot be told, because their names are hashes."""

import hashlib
from collections.abc import Collection
from itertools import repeat
from pathlib import Path

from debugset.base.paths import FEATURES

_COMPUTED = ("distances", "neighbours")  # found from features, in seconds


def spool_files(spool: Path, held: Collection[str]) -> list[tuple[Path, str]]:
    """The files that go, each with the reason: what they held is computed again when it is needed.

    Features stay if they are, byte for byte, an array of the working tree that holds no photo: whose MD5 is not in
    ``held``. Distances and lists of neighbours go all, and so does whatever a killed run left beside them.
    """
    features, leftovers = _list_files(spool / "features")
    arrays, _ = _list_files(FEATURES, "*.npy")
    sizes = set(map(_size, features)).intersection(map(_size, arrays))  # by size alone few need be read
    current = {_md5(path) for path in arrays if _size(path) in sizes}.difference(held)
    going = []
    for path in features:
        if _size(path) not in sizes or _md5(path) not in current:
            going.append((path, "not of the current features"))
    for name in _COMPUTED:
        finished, unfinished = _list_files(spool / name)
        going += zip(finished, repeat("all"))
        leftovers += unfinished
    going += zip(leftovers, repeat("left by a killed run"))
    return going


def _list_files(folder: Path, pattern: str = "*") -> tuple[list[Path], list[Path]]:
    """Files that runs finished, and those that they did not: they, or their folders, have hidden names until then."""
    finished: list[Path] = []
    unfinished: list[Path] = []
    for path in sorted(folder.rglob(pattern)):
        if path.is_file():
            hidden = "/." in f"/{path.relative_to(folder).as_posix()}"
            (unfinished if hidden else finished).append(path)
    return finished, unfinished


def _size(path: Path) -> int:
    return path.stat().st_size


def _md5(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
