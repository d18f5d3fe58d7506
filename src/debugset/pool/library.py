"""A searchable photo library over an image set: what stands behind the simulator's two endpoints."""

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from jaxtyping import Int64

from debugset.images.sets import ImageSet

IMAGE_HOST = "live.staticflickr.com"
_WORD = re.compile(r"\w+(?:[-']\w+)*")  # "t-shirt" is one word
_QUERY = re.compile(r'"([^"]*)"|(\S+)')


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

    def search(
        self,
        text: str,
        licences: Sequence[int] | None = None,
        first: int | None = None,
        last: int | None = None,
    ) -> Int64[np.ndarray, " m"]:
        """The photos that match, as manifest rows, oldest first.

        Args:
            text: words, or phrases in double quotes, that title or tags must all hold; case does not matter.
            licences: licence ids, or None for all.
            first: the earliest upload time, unix seconds, inclusive.
            last: the latest upload time, inclusive.
        """
        places = self._matches(text, None if licences is None else tuple(licences))
        uploaded = self._uploaded[places]
        start = 0 if first is None else int(np.searchsorted(uploaded, first, "left"))
        stop = len(places) if last is None else int(np.searchsorted(uploaded, last, "right"))
        return self._order[places[start:stop]]

    def describe(self, row: int, extras: Sequence[str]) -> dict[str, Any]:
        """A photo as ``flickr.photos.search`` sends it: the fixed fields and the extras that exist."""
        value = {name: column[row] for name, column in self._columns.items()}
        photo: dict[str, Any] = {name: value[name] for name in ("id", "owner", "secret", "server")}
        photo |= {"farm": 66, "title": value["title"], "ispublic": 1, "isfriend": 0, "isfamily": 0}
        if "license" in extras:
            photo["license"] = str(value["licence"])
        if "date_upload" in extras:
            photo["dateupload"] = str(value["uploaded"])
        if "owner_name" in extras:
            photo["ownername"] = value["owner_name"]
        if "tags" in extras:
            photo["tags"] = value["tags"]
        if "url_o" in extras:
            photo["url_o"] = f"https://{IMAGE_HOST}{self.path(row)}"
            photo |= {f"{side}_o": int(value[side]) for side in ("width", "height") if value[side] > 0}
        return photo

    def path(self, row: int) -> str:
        """A photo's path on the image host: ``/<server>/<id>_<secret>_o.<ext>``, its original size."""
        server, photo_id, secret = (self._columns[name][row] for name in ("server", "id", "secret"))
        extension = "jpg" if self._world.read(row).startswith(b"\xff\xd8") else "png"
        return f"/{server}/{photo_id}_{secret}_o.{extension}"

    def file(self, path: str) -> bytes | None:
        """The bytes at a path of the image host, broken ones as they are, or None if no photo is there."""
        photo_id = path.rsplit("/", 1)[-1].split("_", 1)[0]
        row = self._row_of_id.get(photo_id)
        return self._world.read(row) if row is not None and self.path(row) == path else None

    def _match(self, text: str, licences: tuple[int, ...] | None) -> Int64[np.ndarray, " m"]:
        """Places in the order of upload of the photos that match text and licences."""
        terms = [_words(phrase or word) for phrase, word in _QUERY.findall(text)]
        candidates = set(range(len(self._order)))
        for word in {word for term in terms for word in term}:
            candidates &= self._places_of_word.get(word, set())
        places = [place for place in sorted(candidates) if self._holds_all(int(self._order[place]), terms)]
        if licences is not None:
            places = [place for place in places if self._licence[self._order[place]] in licences]
        return np.array(places, np.int64)

    def _holds_all(self, row: int, terms: list[list[str]]) -> bool:
        texts = [f" {' '.join(_words(self._columns[name][row]))} " for name in ("title", "tags")]
        return all(any(f" {' '.join(term)} " in text for text in texts) for term in terms)

    @cached_property
    def _places_of_word(self) -> dict[str, set[int]]:
        places: dict[str, set[int]] = {}
        for place, row in enumerate(self._order):
            for word in _words(f"{self._columns['title'][row]} {self._columns['tags'][row]}"):
                places.setdefault(word, set()).add(place)
        return places

    @cached_property
    def _row_of_id(self) -> dict[str, int]:
        return {photo_id: row for row, photo_id in enumerate(self._columns["id"])}


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
