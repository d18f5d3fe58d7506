"""img2dataset's WebDataset shards (LAION, DataComp): ``sources/<delivery>/*.tar``.

A sample is the members of one key: ``<key>.jpg``, ``<key>.txt`` (the caption), ``<key>.json`` (what is known of
it); see https://github.com/rom1504/img2dataset. Its weak label is the class that the sample names, else every
class with a query that finds the caption.
"""

import json
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from debugset.pool.deliveries.delivery import licence_id, list_deliveries, mention, warn_of_link
from debugset.pool.deliveries.local_files import LocalSource, Place
from debugset.pool.names import require_name
from debugset.pool.params import ScrapeParams
from debugset.pool.progress import Meter
from debugset.pool.rights.licences import NONE_STATED
from debugset.pool.source import Findings, Hit, hit_table
from debugset.pool.spool import Spool
from debugset.pool.text_search import ClassQueries, clean_text

_MEMBER = re.compile(r"(?:\./)?(.*?[^/.][^/.]*)\.([^/]+)")  # the key ends at the first dot of the name
_IMAGES = ("jpg", "jpeg", "png", "webp", "gif")
_TEXTS = ("txt", "json", "cls")
_LONGEST_TEXT = 1_000_000  # bytes
_LICENCE = ("license", "licence")  # LAION writes LICENSE


class _Sample(NamedTuple):
    """A photo of a tar: its key, its image, its caption, what may name its class, and what its JSON says."""

    key: str
    image: tarfile.TarInfo
    caption: str
    names: tuple[str, ...]
    facts: Mapping[str, str]


class WebDataset(LocalSource):
    """The source ``webdataset``: tars in the folder ``sources``; ``queries``: debug class -> its synonyms."""

    name = "webdataset"

    def __init__(
        self, folder: Path, queries: Mapping[str, Sequence[str]], classes: Sequence[str], params: ScrapeParams
    ) -> None:
        super().__init__(params)
        self._folder, self._classes = folder, frozenset(classes)
        self._addresses: dict[str, str] = {}
        self._asked, self._queries = frozenset(queries), ClassQueries(queries)

    def find(self, spool: Spool) -> Findings:
        """The photos of all tars that have a weak label.

        Raises:
            ValueError: there is no tar, one is broken or holds a broken member, or a name is odd.
            OSError: a tar cannot be read.
        """
        tars: dict[str, list[Path]] = {}
        for delivery in list_deliveries(self._folder, _has_tars, "folder of tars"):
            warn_of_link(delivery)
            tars[delivery.name] = sorted(delivery.glob("*.tar"), key=lambda path: path.stem)
        self._require_order(tars)
        hits: list[Hit] = []
        with Meter(spool, "indexing", "tar", sum(map(len, tars.values()))) as meter:
            for name, paths in tars.items():
                hits += self._read_delivery(name, paths, meter)
        return Findings(hit_table(hits))

    def _read_delivery(self, delivery: str, paths: Sequence[Path], meter: Meter) -> list[Hit]:
        hits, unlabelled = [], 0
        for path in paths:
            for sample in _read_samples(path, f"{self._folder.name}/{delivery}/{path.name}"):
                labels = self._labels(sample)
                if not labels:
                    unlabelled += 1
                for class_name, query in labels:
                    hits.append(self._read_hit(sample, class_name, query, delivery, path))
            meter.update()
        mention(f"{self._folder.name}/{delivery}", "photos without a debug class", unlabelled)
        return hits

    def _labels(self, sample: _Sample) -> list[tuple[str, str]]:
        """The debug classes of a sample, each with the query that found it; "" where the sample names its class."""
        for name in sample.names:
            if name in self._classes:
                return [(name, "")] if name in self._asked else []
        return self._queries.find(sample.caption)

    def _read_hit(self, sample: _Sample, class_name: str, query: str, delivery: str, path: Path) -> Hit:
        photo, address, facts = f"{delivery}-{sample.key}", f"{delivery}/{path.name}/{sample.image.name}", sample.facts
        self._require_new(photo, address)
        self._places[address] = Place(photo, path, sample.image.offset_data, sample.image.size)
        licence = _licence(facts)
        return Hit(
            id=photo,
            class_name=class_name,
            query=query,
            shard=f"{delivery}-{path.stem}",
            title=sample.caption,
            licence=NONE_STATED if licence is None else licence,
            owner=facts.get("owner", ""),
            owner_name=facts.get("owner_name", ""),
            page=facts.get("url") or address,
            urls=(address,),
            fault=self._params.licence_fault(licence),
        )

    def _require_new(self, photo: str, address: str) -> None:
        require_name(photo, f"{self._folder.name}/{address}")
        other = self._addresses.setdefault(photo, address)
        if other != address:
            raise ValueError(
                f"{self._folder.name}/{address}: its id {photo} is that of {other} too; "
                "put tars whose keys are the same into folders of their own"
            )

    def _require_order(self, tars: Mapping[str, Sequence[Path]]) -> None:
        """Shards are ordered by their names: were that not the deliveries' order, a later one could change another."""
        last = ""
        for delivery, paths in tars.items():
            for path in paths:
                shard, where = f"{delivery}-{path.stem}", f"{self._folder.name}/{delivery}/{path.name}"
                require_name(shard, where)
                if shard <= last:
                    raise ValueError(
                        f"{where}: its shard {shard} would not come after {last}; rename the folder {delivery}"
                    )
                last = shard


def _read_samples(path: Path, where: str) -> list[_Sample]:
    """The photos of an uncompressed tar, without their images' bytes, in one pass through it."""
    images: dict[str, dict[str, tarfile.TarInfo]] = {}
    texts: dict[str, dict[str, bytes]] = {}
    for member, content in _read_members(path, where):
        parts = _MEMBER.fullmatch(member.name)
        if parts is None:
            continue
        key, extension = parts[1], parts[2].lower()
        if extension in _IMAGES:
            images.setdefault(key, {})[extension] = member
        elif extension in _TEXTS:
            texts.setdefault(key, {})[extension] = content
    samples = []
    for key, own_images in images.items():
        image, own_texts = own_images[min(own_images, key=_IMAGES.index)], texts.get(key, {})
        facts = _read_facts(own_texts["json"], f"{where}: member {key}.json") if "json" in own_texts else {}
        caption = _decode(own_texts["txt"]) if "txt" in own_texts else facts.get("caption", "")
        names = (_decode(own_texts.get("cls", b"")).strip(), facts.get("class", ""), facts.get("label", ""))
        samples.append(_Sample(key, image, caption.strip(), names, facts))
    return samples


def _read_members(path: Path, where: str) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """The files of a tar, with the content of those that are texts."""
    name = "the first"
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for info in tar:
                name = info.name
                if not info.isreg():
                    continue
                is_text = name.rpartition(".")[2].lower() in _TEXTS
                if is_text and info.size > _LONGEST_TEXT:
                    raise ValueError(
                        f"{where}: member {name} has {info.size:,} bytes, a text may have {_LONGEST_TEXT:,}; "
                        "write the tar again"
                    )
                content = tar.extractfile(info).read() if is_text else b""  # type: ignore[union-attr]
                yield info, content
            name = f"what follows {name}"
            file.seek(tar.offset)
            if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):  # a tar not written to its end lacks zeros
                raise tarfile.ReadError("it is no member and no end")
    except tarfile.TarError as error:
        raise ValueError(f"{where}: broken tar at member {name} ({error}); copy or write it again") from None


def _read_facts(content: bytes, where: str) -> dict[str, str]:
    """What a JSON object says, each value as a text, "" for null."""
    try:
        facts = json.loads(content)
        if isinstance(facts, dict):
            return {name: "" if value is None else clean_text(str(value)) for name, value in facts.items()}
    except (ValueError, RecursionError) as error:  # the latter for brackets within brackets within ...
        raise ValueError(f"{where} is no JSON ({error}); write the tar again") from None
    raise ValueError(f"{where} is no JSON object; write the tar again")


def _decode(content: bytes) -> str:
    return clean_text(content.decode(errors="replace"))


def _licence(facts: Mapping[str, str]) -> int | None:
    """Flickr's id of the licence that a sample states; None for one without such an id, or for two."""
    stated = {licence_id(value) for name, value in facts.items() if name.lower() in _LICENCE}
    stated.discard(NONE_STATED)
    if not stated:
        return NONE_STATED
    return stated.pop() if len(stated) == 1 else None


def _has_tars(path: Path) -> bool:
    return path.is_dir() and any(path.glob("*.tar"))
