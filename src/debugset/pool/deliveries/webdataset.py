"""img2dataset's WebDataset shards (LAION, DataComp): ``sources/<delivery>/**/*.tar``.

A sample is the members of one key: ``<key>.jpg``, ``<key>.txt`` (the caption), ``<key>.json`` (what is known of
it); see https://github.com/rom1504/img2dataset. Its weak label is the class that the sample names, else every
class with a query that finds the caption.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from debugset.base.names import composed, ending, some
from debugset.images.content import IMAGE_ENDINGS
from debugset.pool.deliveries.delivery import licence_id, list_deliveries, mention, mention_kinds
from debugset.pool.deliveries.local_files import LocalSource, Place
from debugset.pool.deliveries.tar_members import Member, compressed, read_members
from debugset.pool.deliveries.walk import list_files
from debugset.pool.names import require_name
from debugset.pool.params import ScrapeParams
from debugset.pool.progress import Meter
from debugset.pool.rights.licences import NONE_STATED
from debugset.pool.source import Findings, Hit, hit_table
from debugset.pool.spool import Spool
from debugset.pool.text_search import ClassQueries, clean_text
from debugset.pool.values import value_text

_TAR = ".tar"
_COMPRESSED = re.compile(r"\.(tar\.(gz|bz2|xz|lzma|lz4|zst)|tgz|tbz2?|txz|tzst)$", re.IGNORECASE)
_TEXTS = (".txt", ".json", ".cls")
_TOLD = ("caption", "url", "owner", "owner_name")  # what JSON says of a photo
_NAMED = ("class", "label")  # what may name its class; lists and the like do not
_LICENCE = ("license", "licence")  # LAION writes LICENSE


class _Sample(NamedTuple):
    """A photo of a tar: its key, its image, its caption, what may name its class, and what its JSON says."""

    key: str
    image: Member
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
        self._asked, self._queries = tuple(queries), ClassQueries(queries)

    def find(self, spool: Spool) -> Findings:
        """The photos of all tars that have a weak label.

        Raises:
            ValueError: there is no photo of a debug class, a tar is broken or holds a broken member, or a name is odd.
            OSError: a tar cannot be read.
        """
        deliveries = list_deliveries(self._folder, Path.is_dir, "folder of tars")
        tars = {path: self._tars(path, files) for path, files in list_files(deliveries).items()}
        if not any(tars.values()):
            raise ValueError(
                f"{self._folder.name}: no folder there holds a tar; put some in, or choose another scrape.endpoint"
            )
        self._require_order(tars)
        hits: list[Hit] = []
        with Meter(spool, "indexing", "tar", sum(map(len, tars.values()))) as meter:
            for delivery, paths in tars.items():
                hits += self._read_delivery(delivery.name, paths, meter)
        if not hits:
            raise ValueError(
                f"{self._folder.name}: no photo is of a debug class ({some(self._asked)}), by its label or its "
                "caption; widen scrape.queries or errors.classes, or let `<key>.cls` hold the class's name"
            )
        return Findings(hit_table(hits))

    def _tars(self, delivery: Path, files: Sequence[Path]) -> list[Path]:
        """The tars of a delivery in the order of their shards."""
        tars, others = [], Counter[str]()
        for path in files:
            if _COMPRESSED.search(path.name):
                raise compressed(self._where(path))
            if ending(path.name) == _TAR:
                tars.append(path)
            else:
                others[ending(path.name)] += 1
        mention_kinds(self._where(delivery), "files that are no tars", others)
        return sorted(tars, key=self._shard)

    def _read_delivery(self, delivery: str, paths: Sequence[Path], meter: Meter) -> list[Hit]:
        hits, unlabelled, passed = [], 0, Counter[str]()
        for path in paths:
            for sample in _read_samples(path, self._where(path), passed):
                labels = self._labels(sample)
                if not labels:
                    unlabelled += 1
                for class_name, query in labels:
                    hits.append(self._read_hit(sample, class_name, query, delivery, path))
            meter.update()
        mention_kinds(f"{self._folder.name}/{delivery}", "other members of tars", passed)
        mention(f"{self._folder.name}/{delivery}", "photos without a debug class", unlabelled)
        return hits

    def _labels(self, sample: _Sample) -> list[tuple[str, str]]:
        """The debug classes of a sample, each with the query that found it; "" where the sample names its class."""
        for name in sample.names:
            if name in self._classes:
                return [(name, "")] if name in self._asked else []
        return self._queries.find(sample.caption)

    def _read_hit(self, sample: _Sample, class_name: str, query: str, delivery: str, path: Path) -> Hit:
        image, facts = sample.image, sample.facts
        photo = f"{delivery}-{sample.key.replace('/', '-')}"  # as a shard's name, where folders are in the tar
        address = f"{path.relative_to(self._folder).as_posix()}/{image.name}"
        self._require_new(photo, address)
        self._places[address] = Place(photo, path, image.offset, image.size)
        licence = _licence(facts)
        return Hit(
            id=photo,
            class_name=class_name,
            query=query,
            shard=self._shard(path),
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
                "put tars whose keys are the same into deliveries of their own"
            )

    def _require_order(self, tars: Mapping[Path, Sequence[Path]]) -> None:
        """Shards are ordered by their names: were that not the deliveries' order, a later one could change another."""
        last, earlier = "", ""
        for delivery, paths in tars.items():
            for path in paths:
                shard, where = self._shard(path), self._where(path)
                require_name(shard, where)
                if shard == last:
                    raise ValueError(f"{where}: its shard {shard} is that of {earlier} too; rename one of them")
                if shard < last:
                    raise ValueError(
                        f"{where}: its shard {shard} would not come after {last}; rename the folder {delivery.name}"
                    )
                last, earlier = shard, where

    def _shard(self, tar: Path) -> str:
        """The name of a tar's shard: that of the delivery and those of folders in it first."""
        return "-".join(tar.relative_to(self._folder).with_suffix("").parts)

    def _where(self, path: Path) -> str:
        return f"{self._folder.name}/{path.relative_to(self._folder).as_posix()}"


def _read_samples(path: Path, where: str, passed: Counter[str]) -> list[_Sample]:
    """The photos of a tar, without their images' bytes, in one pass through it; ``passed`` counts other members."""
    images: dict[str, dict[str, Member]] = {}
    texts: dict[str, dict[str, Member]] = {}
    for member in read_members(path, where, _TEXTS, passed):
        kind = ending(member.name)
        if kind not in (*IMAGE_ENDINGS, *_TEXTS):
            passed[kind] += 1
            continue
        key = member.name.removeprefix("./")[: -len(kind)]
        of_key = (texts if kind in _TEXTS else images).setdefault(key, {})
        if kind in of_key:
            mend = "give every photo a key of its own, or put the tars into deliveries of their own"
            raise ValueError(f"{where}: member {member.name} comes twice; {mend}")
        of_key[kind] = member
    for key in texts.keys() - images.keys():
        passed.update(f"{kind} without a photo" for kind in texts[key])
    return [_read_sample(key, of_key, texts.get(key, {}), where, passed) for key, of_key in images.items()]


def _read_sample(
    key: str, images: Mapping[str, Member], texts: Mapping[str, Member], where: str, passed: Counter[str]
) -> _Sample:
    """A photo of its members by ending."""
    first, *others = sorted(images, key=IMAGE_ENDINGS.index)
    passed.update(f"{kind} beside another" for kind in others)
    facts = _read_facts(texts[".json"].text, f"{where}: member {texts['.json'].name}") if ".json" in texts else {}
    caption = _decode(texts[".txt"].text) if ".txt" in texts else facts.get("caption", "")
    named = _decode(texts[".cls"].text).strip() if ".cls" in texts else ""
    names = (named, facts.get("class", ""), facts.get("label", ""))
    return _Sample(key, images[first], caption.strip(), tuple(map(composed, names)), facts)


def _read_facts(content: bytes, where: str) -> dict[str, str]:
    """What a JSON object says in the place of `_TOLD` and `_NAMED`, each value as a text, "" for null."""
    try:
        facts = json.loads(content)
    except (ValueError, RecursionError) as error:  # the latter for brackets within brackets within ...
        raise ValueError(f"{where} is no JSON ({error}); write the tar again") from None
    if not isinstance(facts, dict):
        raise ValueError(f"{where} is no JSON object; write the tar again")
    texts = {}
    for name, value in facts.items():
        if name.lower() in _LICENCE or name in _NAMED:
            texts[name] = (
                clean_text(str(value)) if isinstance(value, list | dict) else value_text(value, f"{where}: {name}")
            )
        elif name in _TOLD:
            texts[name] = value_text(value, f"{where}: {name}")
    return texts


def _decode(content: bytes) -> str:
    return clean_text(content.decode("utf-8-sig", errors="replace"))


def _licence(facts: Mapping[str, str]) -> int | None:
    """Flickr's id of the licence that a sample states; None for one without such an id, or for two."""
    stated = {licence_id(value) for name, value in facts.items() if name.lower() in _LICENCE}
    stated.discard(NONE_STATED)
    if not stated:
        return NONE_STATED
    return stated.pop() if len(stated) == 1 else None
