"""Reading an embedder's features of an image set: a file a shard, memory-mapped, checked against the manifest."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from debugset.base.files import read_json, sha256
from debugset.base.paths import FEATURES
from debugset.images.sets import MANIFEST, ImageSet


class Part(NamedTuple):
    """The features of one shard."""

    rows: Int64[np.ndarray, " _rows"]  # of the manifest, ascending
    values: Float[np.ndarray, "_rows d"]  # their features
    sha256: str  # of their file; tells whether a shard's features have changed without reading them


class Features:
    """The features of an image set, read as an array (n, d): row i belongs to manifest row i.

    The rows lie in memory-mapped parts. Index the first axis by a number, a slice, a mask or numbers: rows of
    one part that lie together come as a view, others as a copy. ``np.asarray`` reads the whole.
    """

    ndim = 2

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        n = sum(len(part.rows) for part in parts)
        self.shape = (n, parts[0].values.shape[1] if parts else 0)
        self.dtype = parts[0].values.dtype if parts else np.dtype(np.float32)
        self._part, self._place = np.empty(n, np.int32), np.empty(n, np.int64)  # of each row: its part, its row there
        for number, part in enumerate(parts):
            self._part[part.rows] = number
            self._place[part.rows] = np.arange(len(part.rows))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        part, place = self._part[index], self._place[index]
        if not part.ndim:
            return self._parts[part].values[place]
        numbers = np.unique(part)
        if len(numbers) == 1:
            return _take(self._parts[numbers[0]].values, place)
        rows = np.empty((len(part), self.shape[1]), self.dtype)
        for number in numbers:
            mine = part == number
            rows[mine] = _take(self._parts[number].values, place[mine])
        return rows

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = self[:]
        return np.array(whole, dtype, copy=None if whole.flags.writeable else copy)  # no second copy

    def parts(self) -> Iterator[Part]:
        """The parts one by one."""
        yield from self._parts


def open_features(embedder: str, images: ImageSet, folder: Path = FEATURES) -> Features:
    """Open the features of an image set by an embedder's slot, for example ``robust``.

    Raises:
        FileNotFoundError: the set has not been embedded.
        ValueError: the features belong to another version of the set, or a part is damaged.
    """
    file = folder / embedder / f"{images.folder.name}.json"
    mend = f"run stage embed@{embedder}"
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such features; {mend}, or `dvc pull`")
    about = read_json(file)
    listed = about.get("parts") or []
    digests = {part["name"]: part.get("sha256") for part in listed}
    parts = images.parts()
    if about.get("manifest_sha256") != sha256(images.folder / MANIFEST) or listed != list_parts(parts, digests):
        raise ValueError(f"{file}: belongs to another version of {images.folder}; {mend} again")
    opened: list[Part] = []
    for name, rows in parts.items():
        values = _map_values(file.with_suffix("") / f"{name}.npy", len(rows), mend)
        if opened and values.shape[1] != opened[0].values.shape[1]:
            raise ValueError(f"{file.with_suffix('')}: parts differ in the number of features; {mend} again")
        opened.append(Part(rows, values, digests[name]))
    return Features(opened)


def list_parts(
    parts: Mapping[str, Int64[np.ndarray, " _rows"]], digests: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """What the JSON beside features says of `ImageSet.parts`, in order, with the SHA-256 of their files if known."""
    return [{"name": name, "rows": len(rows), "sha256": digests.get(name)} for name, rows in parts.items()]


def _map_values(file: Path, rows: int, mend: str) -> Float[np.ndarray, "_rows d"]:
    """A part's features, mapped for reading."""
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such features; {mend}, or `dvc pull`")
    try:
        array = np.asarray(np.load(file, mmap_mode="r"))
    except (ValueError, EOFError):
        raise ValueError(f"{file}: is damaged; restore it by `dvc checkout`, or {mend} again") from None
    if array.ndim != 2 or len(array) != rows:
        raise ValueError(f"{file}: expected {rows} rows as its shard has, got shape {array.shape}; {mend} again")
    return array


def _take(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows of a part, without a copy where they lie together."""
    if (np.diff(rows) == 1).all():
        return values[rows[0] : rows[-1] + 1]
    return values[rows]
