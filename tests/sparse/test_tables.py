"""A decision layer goes to tables and back."""

from pathlib import Path

import numpy as np
import pytest

from debugset.base.files import write_parquet
from debugset.sparse.layer import DecisionLayer
from debugset.sparse.tables import layer_tables, read_layer


def test_a_layer_comes_back_from_its_tables(tmp_path: Path) -> None:
    weights = np.array([[0.1, 0.0, 0.0], [0.0, 0.0, -1 / 3], [2.0, 0.0, 1.0]])
    layer = DecisionLayer(weights, np.array([0.5, 0.0, -0.5]), np.array([1.0, 2.0, 3.0]), np.array([1.0, 9.0, 0.1]))
    tables = layer_tables({"sparse": layer})
    for name, table in tables.items():
        write_parquet(tmp_path / f"{name}.parquet", table.assign(model="original"))
    again = read_layer(tmp_path, "original", "sparse")
    for field in ("weights", "bias", "means", "scales"):
        assert np.array_equal(getattr(again, field), getattr(layer, field)), field
    assert tables["weights"]["feature"].tolist() == [2, 0, 1, 2]  # by class, by importance
    with pytest.raises(ValueError, match=r"has no layer `dense` of model `original`; choose from original sparse"):
        read_layer(tmp_path, "original", "dense")
