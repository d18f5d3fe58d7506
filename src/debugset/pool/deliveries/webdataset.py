"""img2dataset's WebDataset shards (LAION, DataComp): ``sources/<batch>/*.tar``.

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

from debugset.pool.deliveries.batches import (
    FoundPhoto,
    batches,
    found,
    licence_fault,
    licence_id,
    mention,
    require_name,
    warn_of_link,
)
from debugset.pool.deliveries.local_files import LocalSource, Place
from debugset.pool.params import ScrapeParams
from debugset.pool.progress import Meter
from debugset.pool.source import STATES_NO_LICENCE, Found
from debugset.pool.spool import Spool
from debugset.pool.text_search import ClassQueries, clean_text

_MEMBER = re.compile(r"(?:\./)?(.*?[^/.][^/.]*)\.([^/]+)")  # the key ends at the first dot of the name
_IMAGES = ("jpg", "jpeg", "png", "webp", "gif")
_TEXTS = ("txt", "json", "cls")
_LONGEST_TEXT = 1_000_000  # bytes
_LICENCE = ("license", "licence")  # LAION writes LICENSE


class Member(NamedTuple):
    """A member of a tar: its name, and where its bytes lie."""

    name: str
    offset: int
    size: int


class Sample(NamedTuple):
    """A photo of a tar: its key, its image, its caption, what may name its class, and what its JSON says."""

    key: str
    image: Member
    caption: str
    names: tuple[str, ...]
    facts: Mapping[str, str]


class WebDataset(LocalSource):
    """The source ``webdataset``.

    Args:
        folder: the folder ``sources``.
        queries: class name -> its synonyms, for the debug classes.
        classes: all class names.
        params: the section ``scrape``.
    """

    name = "webdataset"

    def __init__(
        self, folder: Path, queries: Mapping[str, Sequence[str]], classes: Sequence[str], params: ScrapeParams
    ) -> None:
        super().__init__(params)
        self._folder, self._classes = folder, frozenset(classes)
        self._addresses: dict[str, str] = {}
        self._asked, self._queries = frozenset(queries), ClassQueries(queries)

    def find(self, spool: Spool) -> Found:
        """The photos of all tars that have a weak label.

        Raises:
            ValueError: there is no tar, one is broken or holds a broken member, or a name is odd.
            OSError: a tar cannot be read.
        """
        tars = [(path.name, _tars(path)) for path in batches(self._folder, _has_tars, "folder of tars")]
        self._require_order([(batch, path) for batch, paths in tars for path in paths])
        photos: list[FoundPhoto] = []
        with Meter(spool, "indexing", "tar", sum(len(paths) for _, paths in tars)) as meter:
            for batch, paths in tars:
                photos += self._photos(batch, paths, meter)
        return found(photos)

    def _photos(self, batch: str, paths: Sequence[Path], meter: Meter) -> list[FoundPhoto]:
        photos, unlabelled = [], 0
        for path in paths:
            for sample in read_samples(path, f"{self._folder.name}/{batch}/{path.name}"):
                labels = self._labels(sample)
                photos += [self._photo(sample, class_name, query, batch, path) for class_name, query in labels]
                unlabelled += not labels
            meter.update()
        mention(f"{self._folder.name}/{batch}", "photos without a debug class", unlabelled)
        return photos

    def _labels(self, sample: Sample) -> list[tuple[str, str]]:
        """The debug classes of a sample, each with the query that found it; "" where the sample names its class."""
        named = next((name for name in sample.names if name in self._classes), None)
        if named is not None:
            return [(named, "")] if named in self._asked else []
        return self._queries.finding(sample.caption)

    def _photo(self, sample: Sample, class_name: str, query: str, batch: str, path: Path) -> FoundPhoto:
        photo, address, facts = f"{batch}-{sample.key}", f"{batch}/{path.name}/{sample.image.name}", sample.facts
        self._require_new(photo, address)
        self._places[address] = Place(photo, path, sample.image.offset, sample.image.size)
        licence = _licence(facts)
        return FoundPhoto(
            photo,
            class_name,
            query,
            _shard(batch, path),
            title=sample.caption,
            licence=STATES_NO_LICENCE if licence is None else licence,
            owner=facts.get("owner", ""),
            owner_name=facts.get("owner_name", ""),
            page=facts.get("url") or address,
            urls=(address,),
            fault=licence_fault(licence, self._params),
        )

    def _require_new(self, photo: str, address: str) -> None:
        require_name(photo, f"{self._folder.name}/{address}")
        other = self._addresses.setdefault(photo, address)
        if other != address:
            raise ValueError(
                f"{self._folder.name}/{address}: its id {photo} is that of {other} too; "
                "put tars whose keys are the same into folders of their own"
            )

    def _require_order(self, tars: Sequence[tuple[str, Path]]) -> None:
        """Shards are ordered by their names: were that not the batches' order, a later one could change an earlier."""
        last = ""
        for batch, path in tars:
            shard, where = _shard(batch, path), f"{self._folder.name}/{batch}/{path.name}"
            require_name(shard, where)
            if shard <= last:
                raise ValueError(f"{where}: its shard {shard} would not come after {last}; rename the folder {batch}")
            last = shard


def read_samples(path: Path, where: str) -> list[Sample]:
    """The photos of a tar, without their images' bytes, in one pass through it.

    Args:
        path: the tar, uncompressed.
        where: what to call it in messages.

    Raises:
        ValueError: the tar or a member is broken.
        OSError: it cannot be read.
    """
    images: dict[str, dict[str, Member]] = {}
    texts: dict[str, dict[str, bytes]] = {}
    for member, content in _members(path, where):
        split = _MEMBER.fullmatch(member.name)
        key, extension = (split[1], split[2].lower()) if split else ("", "")
        if extension in _IMAGES:
            images.setdefault(key, {})[extension] = member
        elif extension in _TEXTS:
            texts.setdefault(key, {})[extension] = content
    return [
        _sample(key, next(found[kind] for kind in _IMAGES if kind in found), texts.get(key, {}), where)
        for key, found in images.items()
    ]


def _members(path: Path, where: str) -> Iterator[tuple[Member, bytes]]:
    """The files of a tar, with the content of those that are texts."""
    name = "the first"
    try:
        with tarfile.open(path, "r:") as tar:
            for info in tar:
                name = info.name
                if info.isreg():
                    is_text = name.rpartition(".")[2].lower() in _TEXTS
                    if is_text and info.size > _LONGEST_TEXT:
                        raise ValueError(
                            f"{where}: member {name} has {info.size:,} bytes, a text may have {_LONGEST_TEXT:,}; "
                            "write the tar again"
                        )
                    content = tar.extractfile(info).read() if is_text else b""  # type: ignore[union-attr]
                    yield Member(name, info.offset_data, info.size), content
            name = f"what follows {name}"
            if not _ends_at(path, tar.offset):
                raise tarfile.ReadError("it is no member and no end")
    except tarfile.TarError as error:
        raise ValueError(f"{where}: broken tar at member {name} ({error}); copy or write it again") from None


def _ends_at(path: Path, offset: int) -> bool:
    """Whether a tar's end, a block of zeros, is there: one that was not written to its end lacks it."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)


def _sample(key: str, image: Member, texts: Mapping[str, bytes], where: str) -> Sample:
    facts = _facts(texts["json"], f"{where}: member {key}.json") if "json" in texts else {}
    caption = _decoded(texts["txt"]) if "txt" in texts else facts.get("caption", "")
    names = (_decoded(texts.get("cls", b"")).strip(), facts.get("class", ""), facts.get("label", ""))
    return Sample(key, image, caption.strip(), names, facts)


def _facts(content: bytes, where: str) -> dict[str, str]:
    """What a JSON object says, each value as a text, "" for null.

    Args:
        content: the object.
        where: file and member, for messages.
    """
    try:
        facts = json.loads(content)
        if isinstance(facts, dict):
            return {name: "" if value is None else clean_text(str(value)) for name, value in facts.items()}
    except (ValueError, RecursionError) as error:  # the latter for brackets within brackets within ...
        raise ValueError(f"{where} is no JSON ({error}); write the tar again") from None
    raise ValueError(f"{where} is no JSON object; write the tar again")


def _decoded(content: bytes) -> str:
    return clean_text(content.decode(errors="replace"))


def _licence(facts: Mapping[str, str]) -> int | None:
    """Flickr's id of the licence that a sample states; None for one without such an id, or for two."""
    every = {licence_id(value) for name, value in facts.items() if name.lower() in _LICENCE}
    stated = every - {STATES_NO_LICENCE} or {STATES_NO_LICENCE}
    return stated.pop() if len(stated) == 1 else None


def _shard(batch: str, path: Path) -> str:
    return f"{batch}-{path.stem}"


def _has_tars(path: Path) -> bool:
    return path.is_dir() and any(path.glob("*.tar"))


def _tars(batch: Path) -> list[Path]:
    warn_of_link(batch)
    return sorted(batch.glob("*.tar"), key=lambda path: path.stem)
