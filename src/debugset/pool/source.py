"""What a source of photos is: something that finds weakly labelled photos and gives their files."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import pandas as pd

from debugset.pool.spool import Spool
from debugset.pool.windows import ShardWindow, Window

FOUND_COLUMNS = ["id", "class_name", "query", "shard", "title", "tags", "licence", "owner", "owner_name"]
FOUND_COLUMNS += ["uploaded", "page", "urls", "fault"]
STATES_NO_LICENCE = -1


class Asked(NamedTuple):
    """One query's windows in one shard's upload window."""

    class_name: str
    query: str
    shard: ShardWindow
    windows: list[Window]


class Found(NamedTuple):
    """What a source found.

    Attributes:
        photos: one row a photo and query, in the order of the queries, with `FOUND_COLUMNS`: ``licence`` is
            `STATES_NO_LICENCE` where none is stated, ``uploaded`` unix seconds or 0, ``urls`` the addresses of its
            file in the order they are to be tried, ``fault`` why it cannot be taken or "".
        asked: the searches behind it; empty where nothing was searched.
    """

    photos: pd.DataFrame
    asked: list[Asked]


class Wanted(NamedTuple):
    """A photo whose file is wanted: its id, and the addresses in the order they are to be tried."""

    photo: str
    urls: tuple[str, ...]


@runtime_checkable
class Source(Protocol):
    """A source of weakly labelled photos.

    Attributes:
        name: names its spool; another name never sees this one's answers.
    """

    name: str

    def find(self, spool: Spool) -> Found:
        """Find the photos; what the spool holds is not asked again."""

    def fetch(self, wanted: Sequence[Wanted], spool: Spool) -> None:
        """See to it that the spool says what became of every address that is needed."""

    def content(self, url: str, spool: Spool) -> bytes:
        """The bytes to pack of an address whose file is ``ok``."""
