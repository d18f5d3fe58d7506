"""The SUN Attribute database where it lies: whole photos of scenes, and the best balanced of 102 attributes.

Data: Patterson and Hays 2012, "SUN Attribute Database: Discovering, Annotating, and Recognizing Scene Attributes".
Binary attributes and which of them to keep: Zhang et al. 2018, "Examining CNN Representations with Respect to
Dataset Bias".
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int8, Int64
from PIL import Image, ImageOps
from pydantic import Field, PositiveInt

from debugset.base.params import Section
from debugset.base.paths import TEST
from debugset.datasets.collection import Record, attribute_records, find_place, jpeg_file, read_photo

ROOT_VARIABLE = "SUN_ATTRIBUTE_ROOT"
CONTENT = "the SUN Attribute database: its three .mat files and images"
LISTS = "SUNAttributeDB"  # the folder that the official archive of the lists unpacks to
ATTRIBUTES = ("attributes.mat", "attributes")  # a file and the variable in it
IMAGES = ("images.mat", "images")
LABELS = ("attributeLabels_continuous.mat", "labels_cv")
PHOTOS = "images"
THRESHOLD = 0.5  # of the share of people who saw the attribute
MEND = "fetch SUNAttributeDB anew"


class SunParams(Section):
    """Section of an attributed data set with ``source: sun``."""

    source: Literal["sun"]
    attributes: PositiveInt  # how many to keep, the best balanced; the paper's 24
    test: float = Field(gt=0, lt=1)  # share of the images that is kept for testing
    random_state: int = Field(ge=0)  # of that split
    side: PositiveInt  # photos are cut to a square at their centre and resized to ``side`` x ``side`` pixels


class Lists(NamedTuple):
    """What the database's three files say, in their order."""

    attributes: list[str]  # names
    images: list[str]  # paths below the photos' folder
    labels: Float[np.ndarray, "n a"]  # the share of people who saw the attribute in the image


def read_records(name: str, params: SunParams, root: Path) -> tuple[Iterator[Record], int]:
    """One of `SETS` as records for `write_set`, by id, and how many images were dropped: none ever is.

    Raises:
        FileNotFoundError: a list or the photos' folder is missing.
        ValueError: a list is wrong, or more attributes are asked for than there are.
    """
    folder = find_place(root, [PHOTOS], ROOT_VARIABLE)
    lists = read_lists(root)
    signs = pd.DataFrame(to_signs(lists.labels), image_ids(lists.images), lists.attributes)
    attributes = signs.iloc[:, most_balanced(signs.to_numpy(), params.attributes)]
    paths = pd.Series(lists.images, signs.index)
    ids = sorted(signs.index[split_rows(name, params, len(signs))])
    contents = (partial(cut_scene, folder / path, params.side) for path in paths[ids])
    return attribute_records(ids, attributes.loc[ids], contents, "jpg"), 0


def read_lists(root: Path) -> Lists:
    """Read and check the database's three files.

    Raises:
        FileNotFoundError: one is missing.
        ValueError: one can't be read, lacks its variable, holds something else in it, or does not fit the others.
    """
    attributes, images = _read_texts(root, *ATTRIBUTES), _read_texts(root, *IMAGES)
    path, labels = _read_variable(root, *LABELS)
    if labels.shape != (len(images), len(attributes)) or labels.dtype.kind not in "fiu":
        raise ValueError(
            f"{path}: `{LABELS[1]}` is {labels.dtype} of shape {labels.shape}, but there are {len(images)} images and "
            f"{len(attributes)} attributes; {MEND}"
        )
    wrong = np.argwhere(~((labels >= 0) & (labels <= 1))).tolist()  # NaN too
    if wrong:
        row, column = wrong[0]
        where = f"`{LABELS[1]}` row {row + 1}, column {column + 1}"
        raise ValueError(f"{path}: {where} is {labels[row, column]} and not in [0, 1]; {MEND}")
    return Lists(attributes, images, labels.astype(np.float64))


def to_signs(labels: Float[np.ndarray, "n a"]) -> Int8[np.ndarray, "n a"]:
    """The sign of ``labels - 0.5``, +1 or -1 (Zhang et al. 2018).

    An exact 0.5, whose sign would be 0, becomes -1: no majority saw the attribute.
    """
    return np.where(labels > THRESHOLD, 1, -1).astype(np.int8)


def most_balanced(signs: Int8[np.ndarray, "n a"], count: int) -> Int64[np.ndarray, " count"]:
    """The attributes whose more frequent value is the least frequent (Zhang et al. 2018).

    Of attributes alike in that, the first in the file's order are taken; the result are their columns, ascending.

    Raises:
        ValueError: there are fewer.
    """
    if count > signs.shape[1]:
        raise ValueError(f"attributes: {count} asked for, but there are {signs.shape[1]}; lower it")
    larger = np.maximum((signs > 0).sum(0), (signs < 0).sum(0))
    return np.sort(np.argsort(larger, kind="stable")[:count]).astype(np.int64)


def split_rows(name: str, params: SunParams, count: int) -> Int64[np.ndarray, " rows"]:
    """The rows of a set out of ``count``, ascending: a random shuffle's first are for testing, the others for training.

    Raises:
        ValueError: the share of test images leaves one of the sets empty.
    """
    tested = round(params.test * count)
    if not 0 < tested < count:
        raise ValueError(f"test: {params.test} of {count} images leaves a set empty; take a share nearer 0.5")
    order = np.random.default_rng(params.random_state).permutation(count)
    return np.sort(order[:tested] if name == TEST else order[tested:])


def image_ids(images: list[str]) -> list[str]:
    """An id of every image: its path without the ending, ``/`` being ``_``, for ids name members of a tar.

    Raises:
        ValueError: two images would have one id, or a path leaves the photos' folder.
    """
    row_of: dict[str, int] = {}
    for row, image in enumerate(images):
        path = PurePosixPath(image)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{IMAGES[0]}: row {row + 1}, {image}, is not below the folder of the photos; {MEND}")
        id_ = "_".join(path.with_suffix("").parts)
        if id_ in row_of:
            raise ValueError(
                f"{IMAGES[0]}: rows {row_of[id_] + 1} and {row + 1}, {image}, would both have the id {id_}; {MEND}"
            )
        row_of[id_] = row
    return list(row_of)


def cut_scene(path: Path, side: int) -> bytes:
    """A photo's largest square at its centre, resized to ``side`` px, as a JPEG file; errors as of `read_photo`."""
    return jpeg_file(ImageOps.fit(read_photo(path), (side, side), Image.Resampling.BILINEAR))


def _read_texts(root: Path, file: str, variable: str) -> list[str]:
    """A variable that is a column of cells, one text in each, no two alike."""
    path, cells = _read_variable(root, file, variable)
    if cells.dtype != object or cells.ndim != 2 or 1 not in cells.shape:
        raise ValueError(f"{path}: `{variable}` is {cells.dtype} of shape {cells.shape} and no column of cells; {MEND}")
    row_of: dict[str, int] = {}
    for row, cell in enumerate(cells.ravel(), start=1):
        value = np.asarray(cell)
        text = str(value.item()) if value.dtype.kind == "U" and value.size == 1 else ""
        if not text:
            raise ValueError(f"{path}: `{variable}` row {row} is not one text; {MEND}")
        if text in row_of:
            raise ValueError(f"{path}: `{variable}` rows {row_of[text]} and {row} are both {text!r}; {MEND}")
        row_of[text] = row
    return list(row_of)


def _read_variable(root: Path, file: str, variable: str) -> tuple[Path, np.ndarray]:
    """A variable of a Matlab file."""
    from scipy.io import loadmat  # here, because it is slow to import

    path = find_place(root, [file, f"{LISTS}/{file}"], ROOT_VARIABLE)
    try:
        variables = loadmat(path, variable_names=[variable])
    except NotImplementedError:
        raise ValueError(
            f"{path}: a Matlab file of version 7.3, which is HDF5; write it anew in Matlab by save(..., '-v7')"
        ) from None
    except Exception as error:  # a broken file ends in any of a dozen kinds
        raise ValueError(f"{path}: not a readable Matlab file ({' '.join(str(error).split())}); {MEND}") from None
    if variable not in variables:
        raise ValueError(f"{path}: there is no variable `{variable}`; {MEND}")
    return path, variables[variable]
