"""Photos in folders: ``sources/<delivery>/<class name>/**/<file>``, the class's folder being the weak label."""

import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from debugset.pool.deliveries.delivery import is_hidden, list_deliveries, mention, require_class, warn_of_link
from debugset.pool.deliveries.local_files import LocalSource, Place
from debugset.pool.params import ScrapeParams
from debugset.pool.rights.licences import NONE_STATED
from debugset.pool.source import Findings, Hit, hit_table
from debugset.pool.spool import Spool

_SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp"}


class Folder(LocalSource):
    """The source ``folder``: the photos of the debug classes in the folder ``sources``; other classes' are left out."""

    name = "folder"

    def __init__(
        self, folder: Path, debug_classes: Collection[str], classes: Sequence[str], params: ScrapeParams
    ) -> None:
        super().__init__(params)
        self._folder, self._debug_classes, self._classes = folder, debug_classes, classes

    def find(self, spool: Spool) -> Findings:
        """The photos of all deliveries; none of them states a licence.

        Raises:
            ValueError: there is no delivery, a folder's name is no class, or a file's name is no text.
            OSError: a folder cannot be read.
        """
        hits: list[Hit] = []
        for delivery in list_deliveries(self._folder, Path.is_dir, "folder of photos"):
            hits += self._read_delivery(delivery)
        return Findings(hit_table(hits))

    def _read_delivery(self, delivery: Path) -> list[Hit]:
        hits, others = [], 0
        for path in _walk_files(delivery):
            inner = path.relative_to(delivery).parts
            if len(inner) == 1 or path.suffix.lower() not in _SUFFIXES:
                others += 1
                continue
            class_name = inner[0]
            require_class(class_name, self._classes, f"{self._folder.name}/{delivery.name}/{class_name}")
            if class_name in self._debug_classes:
                hits.append(self._read_hit(path, class_name, delivery.name))
        mention(f"{self._folder.name}/{delivery.name}", "other files", others)
        return hits

    def _read_hit(self, path: Path, class_name: str, shard: str) -> Hit:
        address = path.relative_to(self._folder).as_posix()
        try:
            photo = hashlib.sha256(address.encode()).hexdigest()[:16]
        except UnicodeEncodeError:
            raise ValueError(f"{self._folder.name}: the name {address!r} is not UTF-8; rename the file") from None
        self._places[address] = Place(photo, path, 0, path.stat().st_size)
        fault = self._params.licence_fault(NONE_STATED)
        return Hit(photo, class_name, "", shard, page=address, urls=(address,), fault=fault)


def _walk_files(delivery: Path) -> Iterator[Path]:
    """All files of a delivery that are not hidden, in the order of their paths, through links to folders too."""
    for folder, folders, files in os.walk(delivery, onerror=_raise, followlinks=True):
        warn_of_link(Path(folder))
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in sorted(files):
            if not is_hidden(name):
                yield Path(folder, name)


def _raise(error: OSError) -> None:
    raise error
