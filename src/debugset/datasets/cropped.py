"""What the readers of photo collections with attributes share: finding them, opening a photo, crops as records."""

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from debugset.images.sets import Content, attribute_columns

SETS = ("train", "test")
IMAGES_PER_SHARD = 10_000
QUALITY = 95

Record = tuple[dict[str, Any], Content]  # as `write_set` takes it


def collection_root(variable: str, what: str) -> Path:
    """The folder that an environment variable names.

    Args:
        variable: its name.
        what: the collection, for the error's text.

    Raises:
        ValueError: the variable is not set.
    """
    if not os.environ.get(variable):
        raise ValueError(f"{variable}: not set; set it to the folder that holds {what}")
    return Path(os.environ[variable])


def located(root: Path, places: Sequence[str], variable: str) -> Path:
    """The first of some places below a root that exists.

    Raises:
        FileNotFoundError: none does.
    """
    for place in places:
        if (root / place).exists():
            return root / place
    others = "".join(f" (or {place})" for place in places[1:])
    raise FileNotFoundError(f"{root / places[0]}{others}: no such file or folder; restore it or correct {variable}")


def size_of(path: Path) -> tuple[int, int]:
    """A photo's width and height, as its header tells.

    Raises:
        ValueError: the file is missing or no image.
    """
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, SyntaxError, ValueError) as error:  # Pillow raises any of them for a broken file
        raise _unreadable(path, error) from None


def photograph(path: Path) -> Image.Image:
    """A photo, decoded to RGB.

    Raises:
        ValueError: the file is missing, cut short or no image.
    """
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise _unreadable(path, error) from None


def jpeg(image: Image.Image) -> bytes:
    """A crop as a JPEG file.

    The photos are JPEGs themselves: a lossless copy of 200,000 crops would keep their artefacts at several times the
    size. Colour is stored at full resolution, for attributes such as lipstick are small patches of it.
    """
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return buffer.getvalue()


def attributed_records(ids: Sequence[str], attributes: pd.DataFrame, contents: Iterable[Content]) -> Iterator[Record]:
    """Records for `write_set`, one at a time: 200,000 of them at once would fill the memory.

    Args:
        ids: of the images, sorted.
        attributes: one row an image, one column an attribute.
        contents: what gives each image's JPEG.
    """
    shown = attribute_columns(attributes)
    names = [str(name) for name in shown]
    rows = zip(ids, shown.itertuples(index=False, name=None), contents, strict=True)
    for place, (id_, values, content) in enumerate(rows):
        record = {"id": id_, "label": 0, "shard": f"{place // IMAGES_PER_SHARD:05d}.tar", "extension": "jpg"}
        yield {**record, **dict(zip(names, values, strict=True))}, content


def _unreadable(path: Path, error: Exception) -> ValueError:
    reason = "no such file" if isinstance(error, FileNotFoundError) else "not a readable image"
    return ValueError(f"{path}: {reason}; restore the file")
