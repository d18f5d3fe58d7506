"""What a source of photos is: something that finds weakly labelled photos and gives their files."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import pandas as pd

from debugset.pool.rights.licences import NONE_STATED
from debugset.pool.spool import Spool
from debugset.pool.windows import ShardWindow, Window


class Hit(NamedTuple):
    """A photo and a query that found it.

    Attributes:
        id: the photo's.
        class_name: the query's class, the photo's weak label.
        query: "" where the source itself names the class.
        shard: of the pool, that takes the photo.
        title, tags, owner, owner_name: texts of strangers; ``owner`` is the photographer's id.
        licence: Flickr's id, or `NONE_STATED`.
        uploaded: unix seconds, or 0.
        page: the address of the photo's page.
        urls: the addresses of its file, in the order in which they are to be tried.
        fault: the `Fault` for which it cannot be taken, or "".
    """

    id: str
    class_name: str
    query: str
    shard: str
    title: str = ""
    tags: str = ""
    licence: int = NONE_STATED
    owner: str = ""
    owner_name: str = ""
    uploaded: int = 0
    page: str = ""
    urls: tuple[str, ...] = ()
    fault: str = ""


class SearchRecord(NamedTuple):
    """What one query was asked: its windows in one shard's upload window."""

    class_name: str
    query: str
    shard: ShardWindow
    windows: list[Window]


class Findings(NamedTuple):
    """What a source found: a table of its hits, in the order of the queries, and the searches behind it, if any."""

    hits: pd.DataFrame
    searches: Sequence[SearchRecord] = ()


class Download(NamedTuple):
    """A photo whose file is wanted: its id, and the addresses in the order in which they are to be tried."""

    photo: str
    urls: tuple[str, ...]


@runtime_checkable
class Source(Protocol):
    """A source of weakly labelled photos.

    Attributes:
        name: names its spool; another name never sees this one's answers.
    """

    name: str

    def find(self, spool: Spool) -> Findings:
        """Find the photos; what the spool holds is not asked again."""

    def fetch(self, downloads: Sequence[Download], spool: Spool) -> None:
        """See to it that the spool says what became of every address that is needed."""

    def content(self, url: str, spool: Spool) -> bytes:
        """The bytes to pack of an address whose file is ``ok``."""


def urls_of(downloads: Iterable[Download]) -> set[str]:
    """All addresses of photos."""
    urls: set[str] = set()
    for photo in downloads:
        urls.update(photo.urls)
    return urls


def hit_table(hits: Iterable[Hit]) -> pd.DataFrame:
    """Hits as a table, a row a hit with the columns of `Hit`."""
    return pd.DataFrame(list(hits), columns=list(Hit._fields))
