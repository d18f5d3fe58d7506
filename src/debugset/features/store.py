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
    """The features of one shard.

    Attributes:
        rows: manifest rows, ascending.
        values: their features.
        sha256: of the file that holds them; tells whether a shard's features have changed without reading them.
    """

    rows: Int64[np.ndarray, " _rows"]
    values: Float[np.ndarray, "_rows d"]
    sha256: str


class Features:
    """The features of an image set, read as an array (n, d): row i belongs to manifest row i.

    The rows lie in memory-mapped parts. Index the first axis by a number, a slice, a mask or numbers: rows of
    one part that lie together come as a view, others as a copy. ``np.asarray`` reads the whole.

    Attributes:
        shape: images, features an image.
        dtype: of a feature.
    """

    ndim = 2

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        n = sum(len(part.rows) for part in parts)
        self.shape = (n, parts[0].values.shape[1] if parts else 0)
        self.dtype = parts[0].values.dtype if parts else np.dtype(np.float32)
        self._part, self._place = np.empty(n, np.int32), np.empty(n, np.int64)
        for number, part in enumerate(parts):
            self._part[part.rows], self._place[part.rows] = number, np.arange(len(part.rows))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        part, place = self._part[index], self._place[index]
        if not part.ndim:
            return self._parts[part].values[place]
        numbers = np.unique(part)
        if len(numbers) == 1:
            return _rows(self._parts[numbers[0]].values, place)
        found = np.empty((len(part), self.shape[1]), self.dtype)
        for number in numbers:
            mine = part == number
            found[mine] = _rows(self._parts[number].values, place[mine])
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = self[:]
        return np.array(whole, dtype, copy=None if whole.flags.writeable else copy)  # no second copy

    def parts(self) -> Iterator[Part]:
        """The parts one by one."""
        yield from self._parts


def open_features(embedder: str, images: ImageSet, folder: Path = FEATURES) -> Features:
    """Open the features of an image set.

    Args:
        embedder: the slot's name, for example ``robust``.
        images: the image set; its folder's name is the features' name.
        folder: holds a folder for each embedder.

    Raises:
        FileNotFoundError: the set has not been embedded.
        ValueError: the features belong to another version of the set, or a part is damaged.
    """
    described, parts = folder / embedder / f"{images.folder.name}.json", images.parts()
    mend = f"run stage embed@{embedder}"
    if not described.is_file():
        raise FileNotFoundError(f"{described}: no such features; {mend}, or `dvc pull`")
    content = read_json(described)
    told = content.get("parts") or []
    digests = {part["name"]: part.get("sha256") for part in told}
    same = content.get("manifest_sha256") == sha256(images.folder / MANIFEST)
    if not same or told != described_parts(parts, digests):
        raise ValueError(f"{described}: belongs to another version of {images.folder}; {mend} again")
    files = described.with_suffix("")
    arrays = [_mapped(files / f"{name}.npy", len(rows), mend) for name, rows in parts.items()]
    if len({array.shape[1] for array in arrays}) > 1:
        raise ValueError(f"{files}: parts differ in the number of features; {mend} again")
    return Features([Part(*part) for part in zip(parts.values(), arrays, digests.values(), strict=True)])


def described_parts(
    parts: dict[str, Int64[np.ndarray, " _rows"]], digests: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """What the JSON beside features says of their parts, in order; ``digests`` are the SHA-256 of their files."""
    return [{"name": name, "rows": len(rows), "sha256": digests.get(name)} for name, rows in parts.items()]


def _mapped(file: Path, rows: int, mend: str) -> Float[np.ndarray, "_rows d"]:
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


def _rows(array: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Rows of a part, without a copy where they lie together."""
    first, last = int(place[0]), int(place[-1])
    together = last - first + 1 == len(place) and bool((np.diff(place) == 1).all())
    return array[first : last + 1] if together else array[place]
