"""Whose photo it is, as pages say it: texts of strangers, and links only where a browser may follow them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from debugset.pool.rights.licences import Licence, licence_of

CREDIT_COLUMNS = ["id", "title", "owner", "owner_name", "licence", "page"]
_WEB = re.compile(r"https?://[^/\s]\S*", re.IGNORECASE)  # no `javascript:`, no `file:`, no path of a local source
_FLICKR_OWNER = re.compile(r"(https?://www\.flickr\.com/photos/[\w@.-]+)/\d+/?", re.ASCII)


class Credit(NamedTuple):
    """What is owed to who made a photo; texts are empty where the source states none, addresses if not of the web."""

    id: str
    title: str
    page: str
    author: str
    author_page: str  # at Flickr
    licence: Licence


def credits_of(photos: pd.DataFrame) -> Iterator[Credit]:
    """The credit of every photo: of rows of a pool's manifest with `CREDIT_COLUMNS`."""
    for name, title, owner, owner_name, licence, page in photos[CREDIT_COLUMNS].itertuples(index=False, name=None):
        owner_at_flickr = _FLICKR_OWNER.fullmatch(page)
        yield Credit(
            id=name,
            title=title.strip(),
            page=page if _WEB.fullmatch(page) else "",
            author=owner_name.strip() or owner.strip(),
            author_page=f"{owner_at_flickr[1]}/" if owner_at_flickr else "",
            licence=licence_of(licence),
        )
