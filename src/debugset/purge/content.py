"""Whether a file's content names a photo."""

import hashlib
import io
import re
from collections.abc import Collection
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


class Manifest(NamedTuple):
    """What an image set's manifest says of photos.

    Attributes:
        sha256: of the manifest's bytes, by which features name it.
        shards: the shards that hold one of the photos.
    """

    sha256: str
    shards: frozenset[str]


def manifest(content: bytes, ids: Collection[str]) -> Manifest:
    """Judge a manifest by its column ``id`` alone: others may name photos that the set has not."""
    rows = table(content, ["id", "shard"])
    shards = rows.loc[rows["id"].isin(list(ids)), "shard"]
    return Manifest(hashlib.sha256(content).hexdigest(), frozenset(shards))


def table(content: bytes, columns: list[str]) -> pd.DataFrame:
    """Columns of a Parquet file."""
    return pq.read_table(io.BytesIO(content), columns=columns).to_pandas()


def table_names(content: bytes, ids: Collection[str]) -> bool:
    """Whether a column of ids (``id``, ``image_id``, ``seed_id``...) of a Parquet file has an id as a value.

    Other columns are not looked at: a title may be the same text as the id of another photo.
    """
    file = pq.ParquetFile(io.BytesIO(content))
    wanted = pa.array(sorted(ids), pa.large_string())
    for name in file.schema_arrow.names:
        if name != "id" and not name.endswith("_id"):
            continue
        column = file.read(columns=[name]).column(0)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if text and pc.any(pc.is_in(column.cast(pa.large_string()), value_set=wanted)).as_py():
            return True
    return False


def text_names(content: bytes, ids: Collection[str]) -> bool:
    """Whether a text has an id as a whole word."""
    found = (id.encode() for id in ids if id.encode() in content)  # fast; the word's ends are looked at after
    return any(re.search(rb"(?<!\w)" + re.escape(id) + rb"(?!\w)", content) for id in found)
