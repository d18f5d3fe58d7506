"""Photos in folders: ``sources/<batch>/<class name>/**/<file>``, the class's folder being the weak label."""

import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from debugset.pool.deliveries.batches import (
    FoundPhoto,
    batches,
    found,
    is_hidden,
    licence_fault,
    mention,
    require_class,
    warn_of_link,
)
from debugset.pool.deliveries.local_files import LocalSource, Place
from debugset.pool.params import ScrapeParams
from debugset.pool.source import STATES_NO_LICENCE, Found
from debugset.pool.spool import Spool

_SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp"}


class Folder(LocalSource):
    """The source ``folder``.

    Args:
        folder: the folder ``sources``.
        asked: the debug classes; the photos of others are left out.
        classes: all class names.
        params: the section ``scrape``.
    """

    name = "folder"

    def __init__(self, folder: Path, asked: Collection[str], classes: Sequence[str], params: ScrapeParams) -> None:
        super().__init__(params)
        self._folder, self._asked, self._classes = folder, asked, classes

    def find(self, spool: Spool) -> Found:
        """The photos of all batches; none of them states a licence.

        Raises:
            ValueError: there is no batch, a folder's name is no class, or a file's name is no text.
            OSError: a folder cannot be read.
        """
        every = batches(self._folder, Path.is_dir, "folder of photos")
        return found(photo for batch in every for photo in self._photos(batch))

    def _photos(self, batch: Path) -> Iterator[FoundPhoto]:
        others = 0
        for path in _files(batch):
            inner = path.relative_to(batch).parts
            if len(inner) == 1 or path.suffix.lower() not in _SUFFIXES:
                others += 1
                continue
            require_class(inner[0], self._classes, f"{self._folder.name}/{batch.name}/{inner[0]}")
            if inner[0] in self._asked:
                yield self._photo(path, inner[0], batch.name)
        mention(f"{self._folder.name}/{batch.name}", "other files", others)

    def _photo(self, path: Path, class_name: str, batch: str) -> FoundPhoto:
        address = path.relative_to(self._folder).as_posix()
        try:
            photo = hashlib.sha256(address.encode()).hexdigest()[:16]
        except UnicodeEncodeError:
            raise ValueError(f"{self._folder.name}: the name {address!r} is not UTF-8; rename the file") from None
        self._places[address] = Place(photo, path, 0, path.stat().st_size)
        fault = licence_fault(STATES_NO_LICENCE, self._params)
        return FoundPhoto(photo, class_name, "", batch, page=address, urls=(address,), fault=fault)


def _files(batch: Path) -> Iterator[Path]:
    """All files of a batch that are not hidden, in the order of their paths, through links to folders too."""
    for folder, folders, files in os.walk(batch, onerror=_raise, followlinks=True):
        warn_of_link(Path(folder))
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        yield from (Path(folder, name) for name in sorted(files) if not is_hidden(name))


def _raise(error: OSError) -> None:
    raise error
