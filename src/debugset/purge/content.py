"""Whether a Parquet file names a photo."""

import io
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def photo_shards(manifest: bytes, ids: Collection[str]) -> frozenset[str]:
    """The shards of an image set that hold one of the photos, by its manifest's content.

    The column ``id`` alone tells: others may name photos that the set has not.
    """
    rows = pq.read_table(io.BytesIO(manifest), columns=["id", "shard"]).to_pandas()
    return frozenset(rows.loc[rows["id"].isin(list(ids)), "shard"])


def table_names(table: bytes, ids: Collection[str]) -> bool:
    """Whether a column of ids (``id``, ``image_id``, ``seed_id``...) in a table's content has one of the photos' ids.

    Other columns are not looked at: a title may be the same text as the id of another photo.
    """
    file = pq.ParquetFile(io.BytesIO(table))
    wanted = pa.array(sorted(ids), pa.string())
    for name in file.schema_arrow.names:
        if name == "id" or name.endswith("_id"):
            column = file.read(columns=[name]).column(0).cast(pa.string())
            if pc.any(pc.is_in(column, value_set=wanted)).as_py():
                return True
    return False
