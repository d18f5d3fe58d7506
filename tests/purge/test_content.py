"""Whether a Parquet file names a photo."""

import pandas as pd
import pytest

from debugset.purge.content import photo_shards, table_names
from tests.purge.project import GONE, KEPT, OTHER, parquet


def test_the_shards_with_a_photo_are_told_by_the_id_alone():
    manifest = parquet(id=[KEPT, GONE, OTHER], shard=["a", "b", "b"], copy_of=[GONE, "", ""], title=[GONE, "", ""])
    assert photo_shards(manifest, [GONE]) == {"b"}
    assert photo_shards(manifest, [KEPT, OTHER]) == {"a", "b"}
    assert photo_shards(manifest, ["1"]) == photo_shards(manifest, []) == frozenset()


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"id": [KEPT, GONE]}, True),
        ({"n": [1.0], "image_id": [GONE]}, True),
        ({"seed_id": [KEPT], "nearest_id": [GONE]}, True),
        ({"id": [KEPT], "title": [GONE], "tags": [GONE], "copy_of": [GONE]}, False),
        ({"id": pd.Categorical([GONE])}, True),
        ({"id": [int(KEPT), int(GONE)]}, True),
        ({"id": [f"{GONE}0"], "number": [int(GONE)]}, False),
        ({"id": []}, False),
    ],
)
def test_a_table_names_an_id_in_a_column_of_ids(columns, named):
    assert table_names(parquet(**columns), [GONE]) is named
