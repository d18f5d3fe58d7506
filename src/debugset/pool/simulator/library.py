"""A searchable photo library over an image set: what stands behind the simulator's two endpoints."""

import io
import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int64
from PIL import Image

from debugset.images.sets import ImageSet
from debugset.pool.sizes import ORIGINAL, SIZES
from debugset.pool.text_search import TextQuery, searchable

IMAGE_HOST = "live.staticflickr.com"
_SIZE_OF_MARK = {size.mark: name for name, size in SIZES.items()}
_PATH = re.compile(r"/(?P<server>[^/]+)/(?P<photo>[^/_]+)_(?P<secret>[^/_.]+)(?P<mark>_\w+)?\.(?P<extension>\w+)")
_QUALITY = 90  # of JPEGs
_COLUMN_OF_EXTRA = {"license": "licence", "date_upload": "uploaded", "owner_name": "owner_name", "tags": "tags"}


class Address(NamedTuple):
    """What is behind a path of the image host: a photo's manifest row, its id, and the size."""

    row: int
    photo: str
    size: str


class PhotoLibrary:
    """The photos of a generated world, searchable by text, licence and upload time.

    Args:
        world: an image set with ``uploaded, owner, owner_name, licence, title, tags, secret, server``.
    """

    def __init__(self, world: ImageSet) -> None:
        self._world = world
        photos = world.manifest
        self._columns = {name: photos[name].to_numpy(object) for name in photos.columns}
        self._licence = photos["licence"].to_numpy(np.int64)
        # Rows in the order of upload, so that a search's rows come out sorted and a window is a slice.
        self._order = np.lexsort([photos["id"].to_numpy(str), photos["uploaded"].to_numpy(np.int64)])
        self._uploaded = photos["uploaded"].to_numpy(np.int64)[self._order]
        self._matches = lru_cache(maxsize=1024)(self._match)
        self._smaller = lru_cache(maxsize=64)(self._shrink)
        self._is_whole = lru_cache(maxsize=None)(self._decodes)

    def search(
        self, text: str, licences: Sequence[int] | None = None, first: int | None = None, last: int | None = None
    ) -> Int64[np.ndarray, " m"]:
        """The photos that match, as manifest rows, oldest first.

        Args:
            text: of a `TextQuery`; title and tags are searched.
            licences: licence ids, or None for all.
            first, last: the earliest and the latest upload time, unix seconds, inclusive.
        """
        places = self._matches(text, None if licences is None else tuple(licences))
        uploaded = self._uploaded[places]
        start = 0 if first is None else int(np.searchsorted(uploaded, first, "left"))
        stop = len(places) if last is None else int(np.searchsorted(uploaded, last, "right"))
        return self._order[places[start:stop]]

    def describe(self, row: int, extras: Sequence[str]) -> dict[str, Any]:
        """A photo as ``flickr.photos.search`` sends it: the fixed fields and the extras that exist."""
        photo: dict[str, Any] = {name: self._columns[name][row] for name in ("id", "owner", "secret", "server")}
        photo |= {"farm": 66, "title": self._columns["title"][row], "ispublic": 1, "isfriend": 0, "isfamily": 0}
        for extra, column in _COLUMN_OF_EXTRA.items():
            if extra in extras:
                photo[extra.replace("_", "")] = str(self._columns[column][row])  # so Flickr calls it in its answers
        for size in SIZES:
            if f"url_{size}" in extras:
                photo |= self._describe_size(row, size)
        return photo

    def lengths(self, row: int, size: str) -> tuple[int, int] | None:
        """Width and height of a photo in a size, 0 where the manifest does not know them; None if it lacks the size.

        Every photo has its original; also each of the sizes that is smaller, if the original can be decoded.
        """
        width, height = int(self._columns["width"][row]), int(self._columns["height"][row])
        if size == ORIGINAL:
            return width, height
        if max(width, height) <= SIZES[size].longest or not self._is_whole(row):
            return None
        return scale(width, height, size)

    def path(self, row: int, size: str = ORIGINAL) -> str:
        """A photo's path on the image host: ``/<server>/<id>_<secret>_o.<ext>`` for its original size."""
        server, photo, secret = (self._columns[name][row] for name in ("server", "id", "secret"))
        is_png = size == ORIGINAL and not self._world.read(row).startswith(b"\xff\xd8")
        extension = "png" if is_png else "jpg"
        return f"/{server}/{photo}_{secret}{SIZES[size].mark}.{extension}"

    def at(self, path: str) -> Address | None:
        """What is behind a path of the image host, or None if nothing is."""
        parts = _PATH.fullmatch(path)
        if parts is None:
            return None
        row, size = self._row_of_id.get(parts["photo"]), _SIZE_OF_MARK.get(parts["mark"] or "")
        if row is None or size is None or self.lengths(row, size) is None:
            return None
        return Address(row, parts["photo"], size) if self.path(row, size) == path else None

    def content(self, address: Address) -> bytes:
        """A photo's file in a size, a broken original as it is."""
        if address.size == ORIGINAL:
            return self._world.read(address.row)
        return self._smaller(address.row, address.size)

    def _describe_size(self, row: int, size: str) -> dict[str, Any]:
        """Address, width and height of a photo in a size, as far as there are any."""
        lengths = self.lengths(row, size)
        if lengths is None:
            return {}
        description: dict[str, Any] = {f"url_{size}": f"https://{IMAGE_HOST}{self.path(row, size)}"}
        for side, length in zip(("width", "height"), lengths, strict=True):
            if length > 0:
                description[f"{side}_{size}"] = length
        return description

    def _shrink(self, row: int, size: str) -> bytes:
        return encode(resize(self._world.image(row), size), "JPEG")

    def _decodes(self, row: int) -> bool:
        try:
            with Image.open(io.BytesIO(self._world.read(row))) as image:
                image.draft("L", (1, 1))  # of a JPEG, a smaller picture from the whole file
                image.load()
        except Exception:  # decoders raise anything on broken files
            return False
        return True

    def _match(self, text: str, licences: tuple[int, ...] | None) -> Int64[np.ndarray, " m"]:
        """Places in the order of upload of the photos that match text and licences."""
        query = TextQuery(text)
        candidates = set(range(len(self._order)))
        for word in query.words:
            candidates &= self._places_of_word.get(word, set())
        found = [place for place in sorted(candidates) if query.finds(self._texts(int(self._order[place])))]
        places = np.array(found, np.int64)
        return places if licences is None else places[np.isin(self._licence[self._order[places]], licences)]

    def _texts(self, row: int) -> list[str]:
        return [searchable(self._columns[name][row]) for name in ("title", "tags")]

    @cached_property
    def _places_of_word(self) -> dict[str, set[int]]:
        places: dict[str, set[int]] = {}
        for place, row in enumerate(self._order):
            for word in " ".join(self._texts(int(row))).split():
                places.setdefault(word, set()).add(place)
        return places

    @cached_property
    def _row_of_id(self) -> dict[str, int]:
        return {photo: row for row, photo in enumerate(self._columns["id"])}


def scale(width: int, height: int, size: str) -> tuple[int, int]:
    """Width and height in pixels of a picture of that width and height, in a size that is smaller."""
    side, longest = SIZES[size].longest, max(width, height)
    if SIZES[size].square:
        return side, side
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))


def resize(image: Image.Image, size: str) -> Image.Image:
    """A picture in a size that is smaller, cut to its middle where the size is square."""
    width, height = image.size
    box = (0, 0, width, height)
    if SIZES[size].square:
        short = min(width, height)
        left, top = (width - short) // 2, (height - short) // 2
        box = (left, top, left + short, top + short)
    return image.resize(scale(width, height, size), Image.Resampling.LANCZOS, box=box)


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as a file of a kind that Pillow names."""
    if kind == "JPEG":
        options["quality"] = _QUALITY
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()
