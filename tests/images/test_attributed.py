"""Attribute columns of a manifest: written, read back in order, and a missing value named."""

import numpy as np
import pandas as pd
import pytest

from debugset.images.sets import attributes, columns, open_set, write_set
from tests.datasets.tiny import plain, png


def written(folder, table):
    """A set whose images have these attributes, and another column beside them."""
    records = [
        ({"id": f"{row:02d}", "label": 0, "shard": "0.tar", "note": "attribute", **shown}, png(plain((0, 0, 0))))
        for row, shown in enumerate(columns(table).to_dict("records"))
    ]
    write_set(folder, records, ("image",))
    return open_set(folder)


def test_attributes_come_back_in_their_order_whatever_their_names(tmp_path):
    table = pd.DataFrame({"label": [1, -1], "attribute:id": [-1, 1], "man-made": [1, 1], "note": [-1, -1]})
    images = written(tmp_path, table)
    found = attributes(images)
    assert found.columns.tolist() == table.columns.tolist()
    assert np.array_equal(found, table)
    assert set(found.dtypes) == {np.dtype("float32")}
    assert images.labels.tolist() == [0, 0]


def test_continuous_attributes_keep_their_values(tmp_path):
    table = pd.DataFrame({"hat": [0.25, -3.5, 0.0]})
    assert attributes(written(tmp_path, table))["hat"].tolist() == [0.25, -3.5, 0.0]


def test_the_order_of_the_images_is_the_manifest_s(tmp_path):
    images = written(tmp_path, pd.DataFrame({"hat": range(12)}))
    assert attributes(images)["hat"].tolist() == [int(id_) for id_ in images.ids]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_missing_value_is_named_with_its_image_and_attribute(tmp_path, bad):
    images = written(tmp_path, pd.DataFrame({"hat": [1.0, 1, -1], "bag": [1.0, bad, -1]}))
    with pytest.raises(ValueError, match="image '01' has no finite value of attribute `bag`"):
        attributes(images)


def test_a_set_without_attributes_has_none(tmp_path):
    assert attributes(written(tmp_path, pd.DataFrame(index=range(2)))).shape[1] == 0


def test_words_instead_of_numbers_are_named(tmp_path):
    images = written(tmp_path, pd.DataFrame({"hat": [1, -1], "bag": ["yes", "no"]}))
    with pytest.raises(ValueError, match="attribute `bag` holds no numbers; say \\+1 where it is there"):
        attributes(images)
