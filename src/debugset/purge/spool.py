"""What purging removes from the spool: arrays whose photos cannot be told, because their names are hashes."""

import hashlib
from collections.abc import Collection
from pathlib import Path

FEATURES = Path("data/features")
COMPUTED = ("distances", "neighbours")  # found from features, in seconds


def spool_files(spool: Path, held: Collection[str]) -> list[tuple[Path, str]]:
    """The files that go, each with the reason: what they held is computed again when it is needed.

    Features stay if they are, byte for byte, an array of the working tree that holds no photo. Distances and
    lists of neighbours go all, and so does whatever a killed run left beside them.

    Args:
        spool: folder.
        held: MD5 of the arrays (and other files) that hold a photo.
    """
    features, needed = _files(spool / "features"), [path for path in _files(FEATURES) if path.suffix == ".npy"]
    sizes = {path.stat().st_size for path in features} & {path.stat().st_size for path in needed}  # the rest differs
    stay = {_md5(path) for path in needed if path.stat().st_size in sizes}.difference(held)
    going = [path for path in features if path.stat().st_size not in sizes or _md5(path) not in stay]
    leftovers = [path for folder in ("features", *COMPUTED) for path in _files(spool / folder, hidden=True)]
    return [
        *((path, "not of the current features") for path in going),
        *((path, "all") for folder in COMPUTED for path in _files(spool / folder)),
        *((path, "left by a killed run") for path in leftovers),
    ]


def _files(folder: Path, *, hidden: bool = False) -> list[Path]:
    """Files that runs finished, or those that they did not: they, or their folders, have hidden names until then."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(folder / name for name in names if any(part.startswith(".") for part in name.parts) == hidden)


def _md5(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
