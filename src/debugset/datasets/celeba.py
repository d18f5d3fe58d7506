"""CelebA where it lies: faces cut out of the in-the-wild photos by their annotated boxes, and 40 attributes of each.

Data: Liu et al. 2015, "Deep Learning Face Attributes in the Wild". Cropped faces and the official training and test
images are what Zhang et al. 2018, "Examining CNN Representations with Respect to Dataset Bias", experiment on.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, NoReturn

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int64
from PIL import Image
from pydantic import Field, PositiveInt

from debugset.base.params import Section
from debugset.base.paths import TEST, TRAIN
from debugset.datasets.collection import (
    SETS,
    Record,
    attribute_records,
    find_place,
    jpeg_file,
    read_files,
    read_photo,
    read_size,
)

ROOT_VARIABLE = "CELEBA_ROOT"
CONTENT = "CelebA: Anno, Eval and Img/img_celeba"
ATTRIBUTES = ("Anno/list_attr_celeba.txt", "list_attr_celeba.txt")
_BOXES = ("Anno/list_bbox_celeba.txt", "list_bbox_celeba.txt")
_PARTITION = ("Eval/list_eval_partition.txt", "list_eval_partition.txt")
PHOTOS = ("Img/img_celeba", "img_celeba")
_ALIGNED = ("Img/img_align_celeba", "img_align_celeba", "Img/img_align_celeba_png", "img_align_celeba_png")
BOX_COLUMNS = ("x_1", "y_1", "width", "height")
PARTITIONS = {TRAIN: 0, "validation": 1, TEST: 2}
REDUCING_GAP = 3.0  # large faces are first reduced by a whole factor; from 3 on hardly distinguishable, says Pillow


class CelebAParams(Section):
    """Section of an attributed data set with ``source: celeba``."""

    source: Literal["celeba"]
    train: PositiveInt | None  # how many of the official training images to take, drawn at random; null takes all
    test: PositiveInt | None  # the same of the test images
    random_state: int = Field(ge=0)  # of that draw
    side: PositiveInt  # faces are resized to ``side`` x ``side`` pixels, whatever their box's shape
    margin: float = Field(ge=0)  # added on each side of the box, as a share of its width or height


class Annotations(NamedTuple):
    """What CelebA's lists say, one row an image, all in the order of the file names, which index the rows."""

    attributes: pd.DataFrame  # one column an attribute, +1 or -1
    boxes: pd.DataFrame  # `BOX_COLUMNS` in pixels of the in-the-wild photo
    partition: pd.Series  # `PARTITIONS`' values


def read_records(name: str, params: CelebAParams, root: Path) -> tuple[Iterator[Record], int]:
    """One of `SETS` as records for `write_set`, by id, and how many images were dropped.

    An image is dropped if its box has no area inside the photo. The images asked for are drawn before, so that
    dropped ones come off their number.

    Raises:
        FileNotFoundError: a list or the photos' folder is missing.
        ValueError: a list is wrong, a photo is missing or no image, or there are fewer images than asked for.
    """
    folder = find_photo_folder(root)
    annotations = read_annotations(root)
    names = draw_names(name, params, annotations.partition)
    sizes = read_files(read_size, [folder / file for file in names], f"celeba: {name} sizes")
    boxes = annotations.boxes.loc[names].to_numpy(np.int64)
    areas, kept = crop_areas(boxes, np.array(sizes, np.int64).reshape(-1, 2), params.margin)
    kept_names = np.array(names, object)[kept].tolist()
    ids = [Path(file).stem for file in kept_names]
    contents = (
        partial(cut_face, folder / file, tuple(area), params.side)
        for file, area in zip(kept_names, areas[kept].tolist(), strict=True)
    )
    return attribute_records(ids, annotations.attributes.loc[kept_names], contents, "jpg"), int((~kept).sum())


def find_photo_folder(root: Path) -> Path:
    """The folder of the in-the-wild photos.

    Raises:
        FileNotFoundError: it is missing, or only the aligned photos are there.
    """
    try:
        return find_place(root, PHOTOS, ROOT_VARIABLE)
    except FileNotFoundError:
        for place in _ALIGNED:
            if (root / place).is_dir():
                raise FileNotFoundError(
                    f"{root / place}: these are the aligned photos, but the boxes of {_BOXES[1]} belong to the "
                    f"in-the-wild ones; fetch CelebA's img_celeba and unpack it to {root / PHOTOS[0]}"
                ) from None
        raise


def read_annotations(root: Path) -> Annotations:
    """Read and check CelebA's three lists.

    Raises:
        FileNotFoundError: one is missing.
        ValueError: a count, a value or a row is wrong, or the lists name different images; tells the file and line.
    """
    attributes = _read_headed(find_place(root, ATTRIBUTES, ROOT_VARIABLE))
    boxes = _read_headed(find_place(root, _BOXES, ROOT_VARIABLE))
    path = find_place(root, _PARTITION, ROOT_VARIABLE)
    partition = _List(path, _read_rows(path, ["partition"], 1), 1)
    if tuple(boxes.table.columns) != BOX_COLUMNS:
        _refuse(boxes.path, 2, f"expected the columns image_id {' '.join(BOX_COLUMNS)}")
    _check_values(attributes, (-1, 1))
    _check_values(partition, tuple(PARTITIONS.values()))
    for other in (boxes, partition):
        _check_images(attributes, other)
        _check_images(other, attributes)
    names = attributes.table.index.sort_values()
    return Annotations(
        attributes.table.loc[names].astype("int8"), boxes.table.loc[names], partition.table.loc[names, "partition"]
    )


def draw_names(name: str, params: CelebAParams, partition: pd.Series) -> list[str]:
    """The file names of a set, sorted: the first of a random shuffle of its part of `Annotations.partition`, or all.

    Raises:
        ValueError: fewer are there than are asked for.
    """
    names = partition.index[partition == PARTITIONS[name]].to_numpy(object)
    count = getattr(params, name)
    if count is None:
        return names.tolist()
    if count > len(names):
        raise ValueError(f"{name}: {count} images asked for, but CelebA has {len(names)}; lower it, or null takes all")
    order = np.random.default_rng([params.random_state, SETS.index(name)]).permutation(len(names))
    return names[np.sort(order[:count])].tolist()


def crop_areas(
    boxes: Int64[np.ndarray, "n 4"], sizes: Int64[np.ndarray, "n 2"], margin: float
) -> tuple[Int64[np.ndarray, "n 4"], Bool[np.ndarray, " n"]]:
    """The area to cut out of each photo, clipped to it, and whether the box without its margin has one inside it.

    Args:
        boxes: left, top, width, height in pixels; areas are left, top, right and bottom, the last two exclusive.
        sizes: the photos' width and height in pixels.
        margin: see `CelebAParams`.
    """
    start, extent = boxes[:, :2], boxes[:, 2:]
    added = np.rint(margin * extent).astype(np.int64)
    inside = start.clip(0, sizes) < (start + extent).clip(0, sizes)
    areas = np.concatenate([(start - added).clip(0, sizes), (start + extent + added).clip(0, sizes)], 1)
    return areas, inside.all(axis=1)


def cut_face(path: Path, area: tuple[int, int, int, int], side: int) -> bytes:
    """An area of a photo (left, top, right, bottom, px, inside it) as a square JPEG; errors as of `read_photo`."""
    face = read_photo(path).crop(area)  # before: resizing by a box sees a little beyond it
    return jpeg_file(face.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP))


class _List(NamedTuple):
    """A list as read: its file, its rows by image, and the line of the first of them."""

    path: Path
    table: pd.DataFrame
    first: int


def _read_headed(path: Path) -> _List:
    """A list whose first line counts its rows and whose second names its columns."""
    with path.open(encoding="utf-8") as file:
        counted, header = file.readline().strip(), file.readline().split()
    if not counted.isdecimal():
        _refuse(path, 1, f"expected the number of images, got {counted[:40]!r}")
    names = header[1:] if header[:1] == ["image_id"] else header  # only the boxes' list names its first column
    if not names or len(set(names)) < len(names):
        _refuse(path, 2, "expected the columns' names, each once")
    table = _read_rows(path, names, 3)
    if len(table) != int(counted):
        _refuse(path, 1, f"says {counted} images, but {len(table)} rows follow")
    return _List(path, table, 3)


def _read_rows(path: Path, names: Sequence[str], first: int) -> pd.DataFrame:
    """The rows of a list from line ``first`` on: a file name, which becomes the index, and whole numbers."""
    rows: dict[str, list[int]] = {}
    lines = path.read_text(encoding="utf-8").rstrip().split("\n")
    for number, line in enumerate(lines[first - 1 :], start=first):
        file, *values = line.split() or [""]
        if len(values) != len(names):
            _refuse(path, number, f"expected a file name and {len(names)} numbers, got {len(values)} of them")
        if file in rows:
            _refuse(path, number, f"{file} comes a second time")
        try:
            rows[file] = [int(value) for value in values]
        except ValueError:
            _refuse(path, number, "expected whole numbers behind the file name")
    numbers = np.array(list(rows.values()), np.int64).reshape(-1, len(names))
    return pd.DataFrame(numbers, index=pd.Index(list(rows), dtype=object), columns=list(names))


def _check_values(checked: _List, allowed: Sequence[int]) -> None:
    values = checked.table.to_numpy()
    wrong = np.argwhere(~np.isin(values, allowed)).tolist()
    if wrong:
        row, column = wrong[0]
        name, expected = checked.table.columns[column], " or ".join(map(str, allowed))
        _refuse(checked.path, checked.first + row, f"{name} is {values[row, column]} instead of {expected}")


def _check_images(checked: _List, other: _List) -> None:
    unknown = ~checked.table.index.isin(other.table.index)
    if unknown.any():
        row = int(unknown.argmax())
        _refuse(checked.path, checked.first + row, f"{checked.table.index[row]} is not in {other.path.name}")


def _refuse(path: Path, line: int, problem: str) -> NoReturn:
    raise ValueError(f"{path}, line {line}: {problem}; fetch CelebA's lists anew")
