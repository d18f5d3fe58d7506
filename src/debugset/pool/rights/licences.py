"""Flickr's licences by id (flickr.photos.licenses.getInfo; the 4.0 licences since June 2025)."""

from typing import NamedTuple


class Licence(NamedTuple):
    """A licence's name and the address of its text."""

    name: str
    link: str


def _creative_commons(kind: str, version: str) -> Licence:
    return Licence(f"CC {kind} {version}", f"https://creativecommons.org/licenses/{kind.lower()}/{version}/")


LICENCES: dict[int, Licence] = {
    0: Licence("All Rights Reserved", "https://www.flickr.com/help/general/#147"),
    1: _creative_commons("BY-NC-SA", "2.0"),
    2: _creative_commons("BY-NC", "2.0"),
    3: _creative_commons("BY-NC-ND", "2.0"),
    4: _creative_commons("BY", "2.0"),
    5: _creative_commons("BY-SA", "2.0"),
    6: _creative_commons("BY-ND", "2.0"),
    7: Licence("No known copyright restrictions", "https://www.flickr.com/commons/usage/"),
    8: Licence("United States Government Work", "https://www.usa.gov/government-copyright"),
    9: Licence("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    10: Licence("Public Domain Mark 1.0", "https://creativecommons.org/publicdomain/mark/1.0/"),
    11: _creative_commons("BY", "4.0"),
    12: _creative_commons("BY-SA", "4.0"),
    13: _creative_commons("BY-ND", "4.0"),
    14: _creative_commons("BY-NC", "4.0"),
    15: _creative_commons("BY-NC-SA", "4.0"),
    16: _creative_commons("BY-NC-ND", "4.0"),
}
NONE_STATED = -1  # in the place of an id, where a source states no licence
UNKNOWN = Licence("none stated", "")


def licence_of(number: int) -> Licence:
    """The licence with Flickr's id ``number``; `UNKNOWN` for `NONE_STATED`."""
    return UNKNOWN if number == NONE_STATED else LICENCES.get(number, Licence(f"licence {number}", ""))
