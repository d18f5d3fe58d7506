"""Photos in folders: ``sources/<delivery>/<class name>/**/<file>``, the class's folder being the weak label."""

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from debugset.base.names import composed, ending, some
from debugset.images.content import IMAGE_ENDINGS
from debugset.pool.deliveries.delivery import list_deliveries, mention, mention_kinds, require_class
from debugset.pool.deliveries.local_files import LocalSource, Place
from debugset.pool.deliveries.walk import list_files
from debugset.pool.params import ScrapeParams
from debugset.pool.rights.licences import NONE_STATED
from debugset.pool.source import Findings, Hit, hit_table
from debugset.pool.spool import Spool


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
            ValueError: there is no photo of a debug class, a folder's name is no class, or a file's name is no text.
            OSError: a folder cannot be read.
        """
        hits: list[Hit] = []
        for delivery, paths in list_files(list_deliveries(self._folder, Path.is_dir, "folder of photos")).items():
            hits += self._read_delivery(delivery, paths)
        if not hits:
            raise ValueError(
                f"{self._folder.name}: holds no photo of a debug class ({some(list(self._debug_classes))}); put photos "
                f"into {self._folder.name}/<delivery>/<class name>/, or name their classes in errors.classes"
            )
        return Findings(hit_table(hits))

    def _read_delivery(self, delivery: Path, paths: Sequence[Path]) -> list[Hit]:
        where = f"{self._folder.name}/{delivery.name}"
        hits, others, outside, other_classes = [], Counter[str](), Counter[str](), 0
        for path in paths:
            inner, kind = path.relative_to(delivery).parts, ending(path.name)
            if kind not in IMAGE_ENDINGS:
                others[kind] += 1
                continue
            if len(inner) == 1:
                outside[kind] += 1
                continue
            class_name = composed(inner[0])
            require_class(class_name, self._classes, f"{where}/{class_name}")
            if class_name in self._debug_classes:
                hits.append(self._read_hit(path, class_name, delivery.name))
            else:
                other_classes += 1
        mention_kinds(where, "other files", others)
        mention_kinds(where, "files outside a class's folder", outside)
        mention(where, "photos of classes that are not debugged", other_classes)
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
