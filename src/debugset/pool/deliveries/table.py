"""A table of image addresses with weak labels: ``sources/<delivery>.csv`` or ``.parquet``, a row an address."""

import csv
import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from debugset.pool.deliveries.delivery import licence_id, list_deliveries, mention, require_class
from debugset.pool.files.download import WebSource
from debugset.pool.hosts import Hosts
from debugset.pool.limits import Clock
from debugset.pool.names import require_name
from debugset.pool.params import ScrapeParams
from debugset.pool.source import Findings, Hit, hit_table
from debugset.pool.spool import Spool
from debugset.pool.text_search import clean_text
from debugset.pool.windows import shard_windows

_REQUIRED = ("url", "class")
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
            ValueError: there is no table, a table cannot be read or lacks a column, or a row is not as it should be.
        """
        hits: list[Hit] = []
        for path in list_deliveries(self._folder, _is_table, "table (.csv or .parquet)"):
            hits += self._read_delivery(path)
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
        url, class_name = row["url"], row["class"]
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


def _read_table(path: Path, where: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV (UTF-8) or parquet file as stripped texts, "" for what is missing."""
    try:
        table = _read_csv(path) if path.suffix == ".csv" else _read_parquet(path)
    except (ValueError, csv.Error, pa.ArrowException, OSError) as error:
        raise ValueError(f"{where}: no table can be read ({' '.join(str(error).split())}); write it again") from None
    for column in _REQUIRED:
        if column not in table.columns:
            raise ValueError(f"{where}: the column `{column}` is missing; add it")
    for column in _COLUMNS:
        if list(table.columns).count(column) > 1:
            raise ValueError(f"{where}: the column `{column}` is there twice; keep one")
    table = table.loc[:, table.columns.isin(_COLUMNS)].reindex(columns=_COLUMNS, fill_value="")
    for cells in table.itertuples(index=False, name=None):
        yield dict(zip(_COLUMNS, map(_cell_text, cells), strict=True))


def _read_csv(path: Path) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file, strict=True) if row]
    header = rows.pop(0) if rows else []
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise ValueError(f"row {number} has {len(row)} cells, the header {len(header)}")
    return pd.DataFrame(rows, columns=header, dtype=object)


def _read_parquet(path: Path) -> pd.DataFrame:
    with pq.ParquetFile(path) as file:
        return file.read([name for name in _COLUMNS if name in file.schema_arrow.names]).to_pandas()


def _upload_second(text: str, where: str) -> int:
    """Unix seconds, of such a text or of a date or time in ISO 8601 (UTC if it names no zone); 0 if it is empty."""
    seconds = text.removesuffix(".0")  # pandas writes numbers so, beside gaps
    try:
        if not seconds or seconds.isdecimal():
            return int(seconds or 0)
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except ValueError:
        raise ValueError(f"{where}: uploaded {text!r} is no time; write unix seconds or an ISO date") from None


def _cell_text(cell: Any) -> str:
    if isinstance(cell, date):  # times and pandas' own too
        return "" if pd.isna(cell) else cell.isoformat()
    is_missing = cell is None or cell is pd.NA or cell != cell  # NaN alone differs from itself
    return "" if is_missing else clean_text(str(cell)).strip()


def _is_web_address(url: str) -> bool:
    try:
        address = urlsplit(url)
        return address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:  # a bracket without its other half
        return False


def _is_table(path: Path) -> bool:
    return path.suffix in (".csv", ".parquet") and path.is_file()
