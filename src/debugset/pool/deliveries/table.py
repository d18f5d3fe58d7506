"""A table of image addresses with weak labels: ``sources/<delivery>.csv`` or ``.parquet``, a row an address."""

import csv
import hashlib
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from debugset.base.csv_text import column_name, read_csv_text
from debugset.base.names import composed, ending, some
from debugset.pool.deliveries.delivery import licence_id, list_deliveries, mention, require_class
from debugset.pool.files.download import WebSource
from debugset.pool.hosts import Hosts
from debugset.pool.limits import Clock
from debugset.pool.names import require_name
from debugset.pool.params import ScrapeParams
from debugset.pool.source import Findings, Hit, hit_table
from debugset.pool.spool import Spool
from debugset.pool.text_search import clean_text
from debugset.pool.values import number_text, value_text
from debugset.pool.windows import shard_windows

_REQUIRED = ("url", "class")
_NUMBERS = ("id", "owner", "licence", "uploaded")  # what may be numbers, which pandas writes as 7.0 beside gaps
_CSV = ".csv"
_COLUMNS = [*_REQUIRED, "id", "title", "tags", "licence", "owner", "owner_name", "page", "uploaded", "query"]


class Table(WebSource):
    """The source ``table``: the photos of the debug classes in the folder ``sources``; other classes' are left out."""

    name = "table"

    def __init__(
        self,
        folder: Path,
        debug_classes: Collection[str],
        classes: Sequence[str],
        params: ScrapeParams,
        hosts: Hosts,
        connections: int,
        clock: Clock,
    ) -> None:
        super().__init__(hosts, params, connections, clock)
        self._folder, self._debug_classes, self._classes = folder, debug_classes, classes

    def find(self, spool: Spool) -> Findings:
        """The photos of all tables.

        Raises:
            ValueError: there is no photo of a debug class, a table cannot be read or lacks a column, or a row is not as
                it should be.
        """
        hits: list[Hit] = []
        addresses: dict[str, str] = {}
        for path in list_deliveries(self._folder, _is_table, "table (.csv or .parquet)"):
            new = self._read_delivery(path)
            _tell_repeated_ids(new, addresses, f"{self._folder.name}/{path.name}")
            for hit in new:
                addresses.setdefault(hit.id, hit.urls[0])
            hits += new
        if not hits:
            raise ValueError(
                f"{self._folder.name}: no row is of a debug class ({some(list(self._debug_classes))}) and of the time "
                "asked for; add rows, name their classes in errors.classes, or widen scrape.since and scrape.snapshot"
            )
        return Findings(hit_table(hits))

    def _read_delivery(self, path: Path) -> list[Hit]:
        where = f"{self._folder.name}/{path.name}"
        shards = shard_windows(self._params.since, self._params.snapshot, self._params.shard)
        addresses: dict[str, str] = {}
        hits = []
        other_classes = other_dates = 0
        for number, row in enumerate(_read_table(path, where), start=1):
            hit = self._read_hit(row, path.stem, f"{where}: row {number}")
            url = hit.urls[0]
            other = addresses.setdefault(hit.id, url)
            if other != url:
                raise ValueError(f"{where}: row {number}: the id {hit.id!r} stands for {other} too; keep one address")
            if hit.class_name not in self._debug_classes:
                other_classes += 1
            elif hit.uploaded and not shards[0].first <= hit.uploaded <= shards[-1].last:
                other_dates += 1
            else:
                hits.append(hit)
        mention(where, "rows of classes that are not debugged", other_classes)
        mention(where, "rows uploaded before scrape.since or after scrape.snapshot", other_dates)
        return hits

    def _read_hit(self, row: dict[str, str], shard: str, where: str) -> Hit:
        """A row, its cells stripped, as a hit; ``where`` names file and row in messages."""
        row |= {name: number_text(row[name], f"{where}: {name}") for name in _NUMBERS}
        url, class_name = row["url"], composed(row["class"])
        if not _is_web_address(url):
            raise ValueError(f"{where}: url {url!r} is no web address; begin it with https:// or http://")
        require_class(class_name, self._classes, where)
        photo = row["id"] or hashlib.sha256(url.encode()).hexdigest()[:16]
        require_name(photo, f"{where}: id")
        licence = licence_id(row["licence"])
        if licence is None:
            raise ValueError(f"{where}: licence {row['licence']!r} is no id of Flickr's; docs/pool.md lists them")
        return Hit(
            id=photo,
            class_name=class_name,
            query=row["query"],
            shard=shard,
            title=row["title"],
            tags=row["tags"],
            licence=licence,
            owner=row["owner"],
            owner_name=row["owner_name"],
            uploaded=_upload_second(row["uploaded"], where),
            page=row["page"] or url,
            urls=(url,),
            fault=self._params.licence_fault(licence),
        )


def _tell_repeated_ids(hits: Sequence[Hit], addresses: Mapping[str, str], where: str) -> None:
    """Say of which photos an earlier table has the ids, given with their ``addresses``: they are left out here."""
    known = [hit for hit in hits if hit.id in addresses]
    same = [hit.id for hit in known if addresses[hit.id] == hit.urls[0]]
    other = [hit.id for hit in known if addresses[hit.id] != hit.urls[0]]
    mention(where, "rows whose id an earlier table has", len(same), same)
    mention(where, "rows whose id stands for another address in an earlier table", len(other), other)


def _read_table(path: Path, where: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV or parquet file as stripped texts, "" for what is missing."""
    names, rows = _read_csv(path, where) if ending(path.name) == _CSV else _read_parquet(path, where)
    for cells in rows:
        row = dict(zip(names, cells, strict=True))
        yield {column: row.get(column, "").strip() for column in _COLUMNS}


def _read_csv(path: Path, where: str) -> tuple[list[str], Iterator[Sequence[str]]]:
    """The names of the columns, and the cells of every row."""
    text = read_csv_text(path, _REQUIRED, where)
    try:
        header, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise _unreadable(where, error) from None
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise _unreadable(where, f"row {number} has {len(row)} cells, the header {len(header)}")
    names = list(map(column_name, header))
    _require_columns(names, where)
    return names, (list(map(clean_text, row)) for row in rows)


def _read_parquet(path: Path, where: str) -> tuple[list[str], Iterator[Sequence[str]]]:
    """The names of the columns that are known, and their cells of every row, read by Arrow's types."""
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            table = file.read([name for name in names if column_name(name) in _COLUMNS])
        values = [column.to_pylist() for column in table.columns]
    except (ValueError, OverflowError, pa.ArrowException, OSError) as error:  # the second for dates beyond year 9999
        raise _unreadable(where, error) from None
    _require_columns(list(map(column_name, names)), where)
    texts = []
    for field, cells in zip(table.schema, values, strict=True):
        exact = _exact_below(field.type)
        texts.append(
            [value_text(cell, f"{where}: row {row}: {field.name}", exact) for row, cell in enumerate(cells, 1)]
        )
    return list(map(column_name, table.column_names)), zip(*texts, strict=True)


def _exact_below(kind: pa.DataType) -> int:
    """The whole number from which on floats of a type have gaps; of other types that of the widest."""
    return 2 ** (np.finfo(kind.to_pandas_dtype() if pa.types.is_floating(kind) else float).nmant + 1)


def _require_columns(names: Sequence[str], where: str) -> None:
    for column in _REQUIRED:
        if column not in names:
            raise ValueError(f"{where}: the column `{column}` is missing beside {some(names)}; add it")
    for column in _COLUMNS:
        if names.count(column) > 1:
            raise ValueError(f"{where}: the column `{column}` is there twice; keep one")


def _unreadable(where: str, why: object) -> ValueError:
    return ValueError(f"{where}: no table can be read ({' '.join(str(why).split())}); write it again")


def _upload_second(text: str, where: str) -> int:
    """Unix seconds, of such a text or of a date or time in ISO 8601 (UTC if it names no zone); 0 if it is empty."""
    try:
        if not text or text.isdecimal():
            return int(text or 0)
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except ValueError:
        raise ValueError(f"{where}: uploaded {text!r} is no time; write unix seconds or an ISO date") from None


def _is_web_address(url: str) -> bool:
    try:
        address = urlsplit(url)
        return address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:  # a bracket without its other half
        return False


def _is_table(path: Path) -> bool:
    return ending(path.name) in (_CSV, ".parquet") and path.is_file()
