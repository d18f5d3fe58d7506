"""Who made the photos of a pool and under which licence: a table, and pages to read and to publish.

A shard has pages of its own that name nothing outside it, so that a pool that grows rewrites none of them.
"""

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jinja2 import Environment

from debugset.base.files import read_parquet, replacing_folder, write_parquet
from debugset.base.html import template_environment
from debugset.images.sets import MANIFEST, TAR
from debugset.pool.rights.credit import CREDIT_COLUMNS, credits_of
from debugset.pool.rights.licences import Licence, licence_of

TEMPLATES = Path(__file__).parent / "templates"
PHOTOS_A_PAGE = 2000
_TABLE_COLUMNS = [*CREDIT_COLUMNS, "url", "uploaded", "sha256"]


class Shard(NamedTuple):
    """A shard's name, the rows of its photos, and the file names of its pages."""

    name: str
    rows: np.ndarray
    pages: list[str]


def write_attribution(folder: Path, pool: Path) -> None:
    """Write ``attribution.parquet``, ``attribution.html`` and the pages that it lists, in the place of the folder."""
    photos = read_parquet(pool / MANIFEST, columns=["shard", *_TABLE_COLUMNS])
    environment = template_environment(TEMPLATES)
    shards = list(_shards(photos["shard"]))
    with replacing_folder(folder) as temporary:
        write_parquet(temporary / "attribution.parquet", _table(photos))
        index = environment.get_template("attribution.html")
        text = index.render(photos=len(photos), licences=_licences(photos["licence"]), shards=shards)
        (temporary / "attribution.html").write_text(text, encoding="utf-8", newline="\n")
        for shard in shards:
            _write_pages(temporary, shard, photos, environment)


def _shards(names: pd.Series) -> Iterator[Shard]:
    for shard, rows in names.groupby(names, sort=False).indices.items():  # in the order of the shards
        name = str(shard).removesuffix(TAR)
        pages = range(1, 1 + math.ceil(len(rows) / PHOTOS_A_PAGE))
        yield Shard(name, np.asarray(rows), [f"{name}-{number}.html" for number in pages])


def _write_pages(folder: Path, shard: Shard, photos: pd.DataFrame, environment: Environment) -> None:
    """Write the pages of a shard one by one, so that memory never holds more than one."""
    template = environment.get_template("photos.html")
    for number, page in enumerate(shard.pages, start=1):
        rows = shard.rows[(number - 1) * PHOTOS_A_PAGE : number * PHOTOS_A_PAGE]
        text = template.render(shard=shard, number=number, credits=credits_of(photos.iloc[rows]))
        (folder / page).write_text(text, encoding="utf-8", newline="\n")


def _table(photos: pd.DataFrame) -> pd.DataFrame:
    table = photos[_TABLE_COLUMNS]
    place = _TABLE_COLUMNS.index("licence") + 1
    licences = pd.DataFrame(map(licence_of, table["licence"]), table.index)
    table.insert(place, "licence_name", licences["name"])
    table.insert(place + 1, "licence_link", licences["link"])
    return table


def _licences(numbers: pd.Series) -> list[tuple[Licence, int]]:
    """Licences with their numbers of photos, the most frequent first."""
    counts = Counter(sorted(numbers.tolist()))  # of equal counts, the lower number comes first
    return [(licence_of(number), count) for number, count in counts.most_common()]
