"""Flickr's sizes of a photo, by their suffixes (https://www.flickr.com/services/api/misc.urls.html)."""

from typing import NamedTuple


class Size(NamedTuple):
    """A size: its longest side in pixels, whether it is cut square, its mark in the names of files."""

    longest: int
    square: bool
    mark: str


ORIGINAL = "o"
SIZES = {  # in this order a search asks for them, and another order would be another search to the spool
    ORIGINAL: Size(10**9, False, "_o"),  # an original may have any side: longer than all others
    "k": Size(2048, False, "_k"),
    "h": Size(1600, False, "_h"),
    "l": Size(1024, False, "_b"),
    "c": Size(800, False, "_c"),
    "z": Size(640, False, "_z"),
    "n": Size(320, False, "_n"),
    "m": Size(500, False, ""),
    "s": Size(240, False, "_m"),
    "q": Size(150, True, "_q"),
    "t": Size(100, False, "_t"),
    "sq": Size(75, True, "_s"),
}
