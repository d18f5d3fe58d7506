"""Some rows of a matrix are indexed as the array of these rows is."""

import numpy as np
import pytest

from debugset.features.matrix import Matrix, RowsOf, as_features
from tests.features.shards import in_shards

VALUES = np.random.default_rng(0).standard_normal((12, 3)).astype(np.float32)
ROWS = np.array([1, 2, 3, 5, 8, 9, 11, 4])  # not ascending
IN_MEMORY, IN_SHARDS = VALUES, in_shards(VALUES, np.arange(12) % 3)
INDICES = [
    0,
    -1,
    np.int64(6),
    slice(None),
    slice(2, 5),
    slice(7, 1, -2),
    slice(4, 4),
    [7, 0, 0, 5],
    np.array([], np.int64),
    np.arange(8) % 3 == 0,
    np.array([-1, 2]),
]


@pytest.mark.parametrize("matrix", [IN_MEMORY, IN_SHARDS], ids=["array", "shards"])
@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_every_index_gives_what_the_rows_of_the_array_give(matrix, index):
    found = RowsOf(matrix, ROWS)[index]
    np.testing.assert_array_equal(found, VALUES[ROWS][index])
    assert found.dtype == np.float32


@pytest.mark.parametrize("matrix", [IN_MEMORY, IN_SHARDS], ids=["array", "shards"])
def test_it_is_a_matrix_and_becomes_an_array(matrix):
    rows = RowsOf(matrix, ROWS)
    assert isinstance(rows, Matrix)
    assert as_features(rows, "features", width=3) is rows  # nothing is read
    assert (len(rows), rows.shape, rows.ndim, rows.dtype) == (8, (8, 3), 2, np.float32)
    np.testing.assert_array_equal(np.asarray(rows), VALUES[ROWS])
    assert np.asarray(rows, np.float64).dtype == np.float64
    np.testing.assert_array_equal(np.array(rows) @ np.eye(3, dtype=np.float32), VALUES[ROWS])


def test_what_becomes_an_array_is_a_copy():
    values = VALUES.copy()
    np.array(RowsOf(values, ROWS))[:] = 0
    np.testing.assert_array_equal(values, VALUES)


def test_rows_of_rows_and_no_rows():
    np.testing.assert_array_equal(RowsOf(RowsOf(IN_SHARDS, ROWS), np.array([6, 0]))[:], VALUES[[11, 1]])
    nothing = RowsOf(IN_SHARDS, np.array([], np.int64))
    assert (len(nothing), np.asarray(nothing).shape) == (0, (0, 3))


@pytest.mark.parametrize("index", [8, -9, [0, 8]], ids=repr)
def test_a_row_beyond_the_last_is_refused(index):
    with pytest.raises(IndexError):
        RowsOf(IN_MEMORY, ROWS)[index]
