"""What collections of images share: finding and reading their files, and records of images with attributes."""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from PIL import Image

from debugset.base.machine import workers
from debugset.base.paths import TEST, TRAIN
from debugset.base.progress import progress
from debugset.images.content import decode_image, image_size
from debugset.images.sets import Content, attribute_columns

SETS = (TRAIN, TEST)  # of images with attributes
IMAGES_PER_SHARD = 10_000
_JPEG_QUALITY = 95
_FILES_AT_A_TIME = 1000  # a million jobs waiting at once would fill the memory

Record = tuple[dict[str, Any], Content]  # as `write_set` takes it
T = TypeVar("T")


def shard_name(place: int) -> str:
    """The tar of a set's image number ``place``."""
    return f"{place // IMAGES_PER_SHARD:05d}.tar"


def collection_root(variable: str, what: str) -> Path:
    """The folder that an environment variable names; a ValueError says that it is not set, and for ``what``."""
    if not os.environ.get(variable):
        raise ValueError(f"{variable}: not set; set it to the folder that holds {what}")
    return Path(os.environ[variable])


def find_place(root: Path, places: Sequence[str], variable: str) -> Path:
    """The first of some places below a root that exists.

    Raises:
        FileNotFoundError: none does; names the environment ``variable`` that says where the root is.
    """
    for place in places:
        if (root / place).exists():
            return root / place
    others = "".join(f" (or {place})" for place in places[1:])
    raise FileNotFoundError(f"{root / places[0]}{others}: no such file or folder; restore it or correct {variable}")


def read_files(read: Callable[[Path], T], paths: Sequence[Path], what: str) -> list[T]:
    """What ``read`` tells of each file, in threads: a disk answers many at a time. The progress bar says ``what``."""
    results: list[T] = []
    with ThreadPoolExecutor(workers()) as pool, progress(what=what, total=len(paths), unit=" images") as bar:
        for start in range(0, len(paths), _FILES_AT_A_TIME):
            results += pool.map(read, paths[start : start + _FILES_AT_A_TIME])
            bar.update(len(results) - start)
    return results


def read_size(path: Path) -> tuple[int, int]:
    """An upright photo's width and height, as its header tells; a ValueError where the file is missing or no image."""
    return _look_at_photo(image_size, path)


def read_photo(path: Path) -> Image.Image:
    """A photo by `decode_image`; a ValueError where the file is missing, cut short or no image."""
    return _look_at_photo(decode_image, path)


def _look_at_photo(look: Callable[[bytes], T], path: Path) -> T:
    try:
        return look(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else "not a readable image"
        raise ValueError(f"{path}: {reason}; restore the file") from None


def jpeg_file(image: Image.Image) -> bytes:
    """A part of a photo as a JPEG file.

    The photos are JPEGs themselves: a lossless copy of 200,000 crops would keep their artefacts at several times the
    size. Colour is stored at full resolution, for attributes such as lipstick are small patches of it.
    """
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def attribute_records(
    ids: Sequence[str], attributes: pd.DataFrame, contents: Iterable[Content], extension: str
) -> Iterator[Record]:
    """Records for `write_set`, one at a time: 200,000 of them at once would fill the memory.

    They come in the order of the sorted ``ids``, as do the rows of ``attributes`` (a column each) and the contents.
    """
    columns = attribute_columns(attributes)
    names = list(map(str, columns))
    rows = zip(ids, columns.itertuples(index=False, name=None), contents, strict=True)
    for place, (id_, values, content) in enumerate(rows):
        record = {"id": id_, "label": 0, "shard": shard_name(place), "extension": extension}
        yield {**record, **dict(zip(names, values, strict=True))}, content
