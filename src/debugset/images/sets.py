"""An image set: ``manifest.parquet`` (a row an image) beside uncompressed WebDataset tars.

The manifest's ``shard, offset, size`` give random access to an image's bytes by one ``pread``. A set whose
images stay where they are (ImageNet) names them relative to a root folder that an environment variable gives.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int64, UInt8
from PIL import Image

from debugset.base.files import replacing_file
from debugset.images.pixels import square_pixels

MANIFEST, TAR = "manifest.parquet", ".tar"
LOOSE_FILES_A_PART = 4096
COLUMNS = ("id", "label", "sha256", "width", "height", "shard", "offset", "size")

Content = bytes | Callable[[], bytes]  # an image's file, or what reads it when its turn comes
PREFIX = "attribute:"  # column names of a manifest: an attribute may be called `label`


@dataclass
class ImageSet:
    """An image set opened for reading.

    Attributes:
        folder: where the manifest lies.
        manifest: one row an image, `COLUMNS` first, then columns of the source.
        classes: the class names; labels are indices into it.
        root: where the shards lie.
    """

    folder: Path
    manifest: pd.DataFrame
    classes: tuple[str, ...]
    root: Path
    _descriptors: dict[str, int] = field(default_factory=dict, repr=False)
    _opening: Lock = field(default_factory=Lock, repr=False)

    def __len__(self) -> int:
        return len(self.manifest)

    @cached_property
    def labels(self) -> Int64[np.ndarray, " n"]:
        """The label of every image: class indices, weak labels in a pool."""
        return self.manifest["label"].to_numpy(np.int64)

    @cached_property
    def ids(self) -> np.ndarray:
        """The id of every image, as objects."""
        return self.manifest["id"].to_numpy(object)

    def read(self, row: int | np.integer) -> bytes:
        """The file of the image in manifest row ``row``.

        Raises:
            OSError: its shard is missing or shorter than the manifest says.
        """
        shard, offset, size = (self._location[name][row] for name in ("shard", "offset", "size"))
        if shard.endswith(TAR):
            content = os.pread(self._descriptor(shard), int(size), int(offset))
        else:  # a set may name millions of loose files: none of them stays open
            content = (self.root / shard).read_bytes()
        if len(content) != size:
            raise OSError(f"{self.root / shard}: image {self.ids[row]} is cut short; restore the file")
        return content

    def image(self, row: int | np.integer) -> Image.Image:
        """The image in manifest row ``row``, decoded to RGB."""
        return Image.open(io.BytesIO(self.read(row))).convert("RGB")

    def pixels(self, rows: Iterable[int], size: int) -> UInt8[np.ndarray, "n size size 3"]:
        """Images as squares of ``size`` px in one array, by `square_pixels`."""
        rows = list(rows)
        batch = np.empty((len(rows), size, size, 3), np.uint8)
        for place, row in enumerate(rows):
            batch[place] = square_pixels(self.image(row), size)
        return batch

    def rows_of(self, ids: Iterable[str]) -> Int64[np.ndarray, " n"]:
        """The manifest rows of image ids, in the order asked.

        Raises:
            ValueError: an id is not in the set.
        """
        ids = list(ids)
        rows = self._row_of_id.reindex(ids)
        if rows.isna().any():
            raise ValueError(f"{self.folder}: image {ids[int(rows.isna().argmax())]!r} is not in this set")
        return rows.to_numpy(np.int64)

    def parts(self) -> dict[str, Int64[np.ndarray, " _rows"]]:
        """The manifest rows in parts that can be worked on one by one, by name.

        A tar's rows, named as it is without its ending; of loose files some thousand, numbered.
        """
        shards = self.manifest["shard"]
        if shards.str.endswith(TAR).all():
            found = self.manifest.groupby("shard", sort=False).indices
            return {str(name).removesuffix(TAR): np.asarray(rows, np.int64) for name, rows in found.items()}
        starts = range(0, len(self), LOOSE_FILES_A_PART)
        rows = np.arange(len(self))
        return {f"{number:05d}": rows[start : start + LOOSE_FILES_A_PART] for number, start in enumerate(starts)}

    @cached_property
    def _row_of_id(self) -> pd.Series:
        return pd.Series(np.arange(len(self)), index=self.manifest["id"])

    @cached_property
    def _location(self) -> dict[str, np.ndarray]:
        return {name: self.manifest[name].to_numpy(object) for name in ("shard", "offset", "size")}

    def _descriptor(self, shard: str) -> int:
        with self._opening:
            if shard not in self._descriptors:
                self._descriptors[shard] = os.open(self.root / shard, os.O_RDONLY)
            return self._descriptors[shard]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_descriptors", "_opening")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= {**state, "_descriptors": {}, "_opening": Lock()}  # another process opens its own files

    def __del__(self) -> None:
        for descriptor in self._descriptors.values():
            os.close(descriptor)


def open_set(folder: str | Path) -> ImageSet:
    """Open an image set.

    Raises:
        FileNotFoundError: the folder holds no manifest.
        ValueError: the manifest lacks a column, or the root that it needs is not set in the environment.
    """
    folder = Path(folder)
    path = folder / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such image set; run the stage that writes it, or `dvc pull`")
    manifest = read_manifest(path)
    missing = [name for name in COLUMNS if name not in manifest.rows]
    if missing:
        raise ValueError(f"{path}: column `{missing[0]}` is missing")
    variable = manifest.root_variable
    if variable and variable not in os.environ:
        raise ValueError(f"{path}: set the environment variable {variable} to the folder that holds the images")
    root = Path(os.environ[variable]) if variable else folder
    return ImageSet(folder, manifest.rows, manifest.classes, root)


class Manifest(NamedTuple):
    """What a manifest's file says.

    Attributes:
        rows: one row an image.
        classes: the class names; labels are indices into it.
        root_variable: the environment variable whose folder holds the shards; None if they lie beside the manifest.
    """

    rows: pd.DataFrame
    classes: tuple[str, ...]
    root_variable: str | None


def read_manifest(file: Path | BinaryIO) -> Manifest:
    """Read a manifest, whichever columns it has."""
    table = pq.read_table(file)
    described = json.loads((table.schema.metadata or {}).get(b"debugset", b"{}"))
    return Manifest(table.to_pandas(), tuple(described.get("classes", ())), described.get("root_variable"))


def write_manifest(
    folder: Path, manifest: pd.DataFrame, classes: Iterable[str], *, root_variable: str | None = None
) -> None:
    """Write an image set's manifest.

    Args:
        folder: the image set.
        manifest: one row an image, with all `COLUMNS`.
        classes: the class names that labels index.
        root_variable: the environment variable whose folder holds the shards, if not ``folder`` itself.
    """
    rest = [name for name in manifest.columns if name not in COLUMNS]
    table = pa.Table.from_pandas(manifest[[*COLUMNS, *rest]], preserve_index=False)
    described = {"classes": list(classes)} | ({"root_variable": root_variable} if root_variable else {})
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), b"debugset": json.dumps(described).encode()}
    )
    with replacing_file(folder / MANIFEST) as temporary:
        pq.write_table(table, temporary)


def write_set(folder: Path, records: Iterable[tuple[Mapping[str, Any], Content]], classes: Iterable[str]) -> None:
    """Write a whole image set into an existing folder: its shards, then its manifest.

    Args:
        folder: where to write; a caller that must not leave half a set behind passes a temporary folder.
        records: a mapping and the file for each image: bytes, or a function that is called for them when the
            image is written, so that memory holds one file at a time. The mapping has ``id, label, shard``
            (the tar's file name) and may have ``extension`` (default ``png``), ``width, height`` (else read
            from the image) and any columns of the source. Images of one shard come together; within it they
            are sorted by id.
        classes: the class names that labels index.

    Raises:
        ValueError: an image id comes twice or a shard comes back after another one.
    """
    rows: list[dict[str, Any]] = []
    for shard, images in groupby(records, key=lambda record: record[0]["shard"]):
        rows += _write_shard(folder / shard, list(images))
    manifest = pd.DataFrame(rows, columns=None if rows else list(COLUMNS))
    if manifest["id"].duplicated().any():
        raise ValueError(f"{folder}: image id {manifest['id'][manifest['id'].duplicated()].iloc[0]!r} comes twice")
    write_manifest(folder, manifest, classes)


def _write_shard(path: Path, images: list[tuple[Mapping[str, Any], Content]]) -> list[dict[str, Any]]:
    """Write one tar, its members sorted by id with no clock or owner in them; return its manifest rows."""
    if path.exists():
        raise ValueError(f"{path}: the images of one shard must come together")
    rows = []
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for record, source in sorted(images, key=lambda image: image[0]["id"]):
            content = source if isinstance(source, bytes) else source()
            row = dict(record)
            member = tarfile.TarInfo(f"{row['id']}.{row.pop('extension', 'png')}")
            member.size = len(content)
            offset = tar.offset + tarfile.BLOCKSIZE  # a USTAR header is one block
            tar.addfile(member, io.BytesIO(content))
            tar.members.clear()  # type: ignore[attr-defined]  # else it remembers every member
            if "width" not in row:
                row["width"], row["height"] = Image.open(io.BytesIO(content)).size
            digest = hashlib.sha256(content).hexdigest()
            rows.append({**row, "sha256": digest, "offset": offset, "size": len(content)})
    return rows


def columns(attributes: pd.DataFrame) -> pd.DataFrame:
    """Attributes, one a column, as the columns of a manifest."""
    return attributes.add_prefix(PREFIX)


def attributes(images: ImageSet) -> pd.DataFrame:
    """The attributes of a set's images: one row an image, one column an attribute, in the manifest's order.

    Raises:
        ValueError: a value is missing or infinite.
    """
    named = [name for name in images.manifest.columns if name.startswith(PREFIX)]
    found = images.manifest[named].rename(columns=lambda name: name.removeprefix(PREFIX))
    if texts := [name for name in found if not pd.api.types.is_numeric_dtype(found[name])]:
        raise ValueError(f"{images.folder}: attribute `{texts[0]}` holds no numbers; say +1 where it is there, else -1")
    found = found.astype("float32")
    bad = ~found.abs().lt(float("inf"))
    if bad.any(axis=None):
        row, name = next((row, name) for name in found for row in bad.index[bad[name]])
        raise ValueError(f"{images.folder}: image {images.ids[row]!r} has no finite value of attribute `{name}`")
    return found
