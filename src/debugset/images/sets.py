"""An image set: ``manifest.parquet`` (a row an image) beside uncompressed WebDataset tars.

The manifest's ``shard, offset, size`` give random access to an image's bytes. A set whose images stay where they are
(ImageNet) names them relative to a root folder that an environment variable gives.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int64, UInt8
from PIL import Image

from debugset.base.files import reading, replacing_file
from debugset.base.names import composed
from debugset.images.content import decode_image, image_size
from debugset.images.pixels import square_pixels

MANIFEST, TAR = "manifest.parquet", ".tar"
COLUMNS = ("id", "label", "sha256", "width", "height", "shard", "offset", "size")
_METADATA = b"debugset"  # key of what a manifest says of the whole set, in its Parquet schema
LOOSE_FILES_A_PART = 4096
_ATTRIBUTE = "attribute:"  # before an attribute's name in its column's: an attribute may be called `label`

Content = bytes | Callable[[], bytes]  # an image's file, or what reads it when its turn comes


class Manifest(NamedTuple):
    """What a manifest's file says."""

    rows: pd.DataFrame  # one an image
    classes: tuple[str, ...]  # their names; labels are indices into it
    root_variable: str | None  # of the environment; its folder holds the shards. None: they lie beside the manifest


@dataclass
class ImageSet:
    """An image set opened for reading."""

    folder: Path  # where the manifest lies
    manifest: pd.DataFrame  # one row an image, `COLUMNS` first, then columns of the source
    classes: tuple[str, ...]  # their names; labels are indices into it
    root: Path  # where the shards lie

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
            OSError: its shard is missing or shorter than the manifest says, or it is another file than then.
        """
        shard, offset, size = (column[row] for column in self._locations)
        with (self.root / shard).open("rb") as file:
            file.seek(offset)
            content = file.read(size if shard.endswith(TAR) else -1)  # a loose file is an image as a whole
        if len(content) != size:
            raise OSError(f"{self.root / shard}: image {self.ids[row]} is cut short; restore the file")
        return content

    def image(self, row: int | np.integer) -> Image.Image:
        """The image in manifest row ``row``, by `decode_image`; `OSError` if it is none, or as of `read`."""
        try:
            return decode_image(self.read(row))
        except ValueError:
            place = self.root / self._locations[0][row]
            raise OSError(f"{place}: image {self.ids[row]} cannot be decoded; restore the file") from None

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
        parts: dict[str, np.ndarray] = {}
        if self.manifest["shard"].str.endswith(TAR).all():
            for shard, rows in self.manifest.groupby("shard", sort=False).indices.items():
                parts[str(shard).removesuffix(TAR)] = np.asarray(rows, np.int64)
            return parts
        for start in range(0, len(self), LOOSE_FILES_A_PART):
            parts[f"{len(parts):05d}"] = np.arange(start, min(start + LOOSE_FILES_A_PART, len(self)))
        return parts

    @cached_property
    def _row_of_id(self) -> pd.Series:
        return pd.Series(np.arange(len(self)), index=self.manifest["id"])

    @cached_property
    def _locations(self) -> list[np.ndarray]:
        return [self.manifest[name].to_numpy(object) for name in ("shard", "offset", "size")]


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
    with reading(path, "not a manifest of images"):
        manifest = read_manifest(path)
    for name in COLUMNS:
        if name not in manifest.rows:
            raise ValueError(f"{path}: column `{name}` is missing")
    variable = manifest.root_variable
    if variable and not os.environ.get(variable):
        raise ValueError(f"{path}: set the environment variable {variable} to the folder that holds the images")
    root = Path(os.environ[variable]) if variable else folder
    return ImageSet(folder, manifest.rows, manifest.classes, root)


def read_manifest(file: Path | io.BufferedIOBase) -> Manifest:
    """Read a manifest, whichever columns it has."""
    table = pq.read_table(file)
    metadata = json.loads((table.schema.metadata or {}).get(_METADATA, b"{}"))
    return Manifest(table.to_pandas(), tuple(map(composed, metadata.get("classes", ()))), metadata.get("root_variable"))


def write_manifest(
    folder: Path, manifest: pd.DataFrame, classes: Iterable[str], *, root_variable: str | None = None
) -> None:
    """Write an image set's manifest: one row an image, with all `COLUMNS`, and the class names that labels index.

    The environment variable ``root_variable`` gives the folder that holds the shards, if it is not ``folder`` itself.
    """
    others = [name for name in manifest.columns if name not in COLUMNS]
    table = pa.Table.from_pandas(manifest[[*COLUMNS, *others]], preserve_index=False)
    metadata: dict[str, Any] = {"classes": list(map(composed, classes))}
    if root_variable:
        metadata["root_variable"] = root_variable
    schema_metadata = {**(table.schema.metadata or {}), _METADATA: json.dumps(metadata).encode()}
    with replacing_file(folder / MANIFEST) as temporary:
        pq.write_table(table.replace_schema_metadata(schema_metadata), temporary)


def write_set(folder: Path, records: Iterable[tuple[Mapping[str, Any], Content]], classes: Iterable[str]) -> None:
    """Write a whole image set into an existing folder: its shards, then its manifest.

    Args:
        folder: where to write; a caller that must not leave half a set behind passes a temporary folder.
        records: a mapping and the file (without metadata) for each image: bytes, or a function that is called for them
            when the image is written, so that memory holds one file at a time. The mapping has ``id, label, shard``
            (the tar's file name) and may have ``extension`` (default ``png``), ``width, height`` (else read from the
            image) and any columns of the source. Images of one shard come together; in it they are sorted by id.
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
                row["width"], row["height"] = image_size(content)
            digest = hashlib.sha256(content).hexdigest()
            rows.append({**row, "sha256": digest, "offset": offset, "size": len(content)})
    return rows


def attribute_columns(attributes: pd.DataFrame) -> pd.DataFrame:
    """Attributes, one a column, as the columns of a manifest."""
    return attributes.add_prefix(_ATTRIBUTE)


def read_attributes(images: ImageSet) -> pd.DataFrame:
    """The attributes of a set's images: one row an image, one column an attribute, in the manifest's order.

    Raises:
        ValueError: a name comes twice, or a value is no number, missing or infinite.
    """
    attributes = images.manifest.filter(regex=f"^{_ATTRIBUTE}")
    attributes.columns = attributes.columns.str.removeprefix(_ATTRIBUTE).map(composed)
    if not attributes.columns.is_unique:  # with one character and with two for "é"
        twice = attributes.columns[attributes.columns.duplicated()][0]
        raise ValueError(f"{images.folder}: attribute `{twice}` has two columns; leave one out")
    for name in attributes:
        if not pd.api.types.is_numeric_dtype(attributes[name]):
            raise ValueError(f"{images.folder}: attribute `{name}` holds no numbers; say +1 where it is there, else -1")
    attributes = attributes.astype("float32")
    wrong = np.argwhere(~np.isfinite(attributes.to_numpy()))
    if len(wrong):
        row, column = wrong[0]
        name = attributes.columns[column]
        raise ValueError(f"{images.folder}: image {images.ids[row]!r} has no finite value of attribute `{name}`")
    return attributes
