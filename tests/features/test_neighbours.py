import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.features import neighbours
from debugset.features.neighbours import nearest
from tests.base.inputs import BAD_MASKS, FEATURES, MASKS, error
from tests.reference import neighbours as naive


def agrees(queries, base, count, exclude=None):
    found = nearest(queries, base, count, exclude=exclude)
    expected = naive.nearest(queries, base, count, exclude)
    assert [
        list(zip(distances.tolist(), rows.tolist(), strict=True))
        for distances, rows in zip(found.distance, found.row, strict=True)
    ] == expected


@settings(max_examples=60, deadline=None)
@given(
    random_state=st.integers(0, 2**32), values=st.sampled_from([2, 4, 1000]), scale=st.sampled_from([1, 1e-25, 1e25])
)
def test_equals_the_double_loop_over_blocks_with_ties_and_extreme_values(random_state, values, scale):
    rng = np.random.default_rng(random_state)
    rows = int(rng.integers(1, 1400))  # uneven last block: blocks hold at least 512 rows
    queries = (rng.integers(0, values, (rng.integers(1, 5), 2)) * scale).astype(np.float32)
    base = (rng.integers(0, values, (rows, 2)) * scale).astype(np.float32)
    exclude = rng.random(rows) < 0.3 if random_state % 2 else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "PAIRS_IN_A_BLOCK", 1)
        agrees(queries, base, int(rng.integers(1, 9)), exclude)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_near_ties_are_settled_by_the_stored_values(dtype):
    rng = np.random.default_rng(0)
    centre = rng.standard_normal(64) * 100  # far from zero, so float32 products cannot tell these rows apart
    base = (centre + 1e-3 * rng.standard_normal((900, 64))).astype(dtype)
    agrees(base[:3] + dtype(1e-4), base, 20)


@pytest.mark.parametrize("hidden", [False, True], ids=["even sample", "sample that misleads"])
def test_a_guess_from_a_sample_never_changes_the_result(hidden):
    rng = np.random.default_rng(1)
    base = rng.standard_normal((4000, 3)).astype(np.float32)
    queries = np.zeros((2, 3), np.float32)
    if hidden:  # the sample takes every fourth row and sees all the 30 near ones; 40 are asked for
        base += 50
        base[np.arange(0, 120, 4)] -= 50
    shortlist = neighbours._Shortlist(queries, base, 40, np.float32, ("queries", "base"))
    assert np.isfinite(shortlist.guess_reach(np.arange(len(base)))).all()
    agrees(queries, base, 40)


def test_equal_rows_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(neighbours, "PAIRS_IN_A_BLOCK", 1)
    base = np.ones((3000, 2), np.float32)
    shortlist = neighbours._Shortlist(base[:2], base, 3, np.float32, ("queries", "base"))
    shortlist.limit = 100
    for start in range(0, 3000, 500):
        shortlist.add(np.arange(start, start + 500))
        assert shortlist.n_pending <= 24
    assert shortlist.finish()[0].row.tolist() == [[0, 1, 2]] * 2


def test_values_beyond_float32_are_searched_in_float64():
    rng = np.random.default_rng(2)
    base = rng.standard_normal((50, 4)) * 1e100
    agrees(base[:3], base, 5)


def test_what_is_not_finite_is_named():
    good, bad = np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32)
    bad[1, 1] = np.nan
    with pytest.raises(ValueError, match=r"^base: contains NaN"):
        nearest(good, bad, 1)
    with pytest.raises(ValueError, match=r"^queries: contains NaN"):
        nearest(bad, good, 1)
    with pytest.raises(ValueError, match=r"too large to square"):
        nearest(np.full((1, 2), 1e200), np.zeros((1, 2)), 1)


QUERIES, BASE = np.array([[0.0, 1.0]]), np.arange(10.0).reshape(5, 2)
EXCLUDED = np.array([True, False, False, True, False])


def rows_and_distances(found):
    return found.row.tolist(), found.distance.tolist()


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_of_any_type_leaves_the_same_rows_out(kind):
    found = nearest(QUERIES, BASE, 3, exclude=MASKS[kind](EXCLUDED))
    assert rows_and_distances(found) == ([[1, 2, 4]], [[8.0, 32.0, 128.0]])


@pytest.mark.parametrize("sparse", [scipy.sparse.csr_matrix, scipy.sparse.csr_array, scipy.sparse.coo_array])
def test_a_sparse_matrix_ends_in_one_line_with_the_mend(sparse):
    untyped = getattr(nearest, "__wrapped__", nearest)  # the tests' type checks would refuse it before
    for queries, base, name in ((sparse(QUERIES), BASE, "queries"), (QUERIES, sparse(BASE), "base")):
        with pytest.raises(ValueError, match="sparse") as caught:
            untyped(queries, base, 1)
        assert str(caught.value) == f"{name}: is a sparse matrix; pass {name}.toarray()"


@pytest.mark.parametrize("kind", FEATURES)
def test_features_of_any_type_have_the_same_neighbours(kind):
    found = nearest(FEATURES[kind](QUERIES), FEATURES[kind](BASE), 3)
    assert rows_and_distances(found) == ([[0, 1, 2]], [[0.0, 8.0, 32.0]])
    integers = nearest(QUERIES.astype(np.int16), BASE.astype(np.uint8), 3)
    assert rows_and_distances(integers) == rows_and_distances(found)


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_what_is_no_mask_is_refused(kind):
    make, line = BAD_MASKS[kind]
    with pytest.raises(ValueError, match=error("exclude", line, 5)):
        nearest(QUERIES, BASE, 3, exclude=make(5))


@pytest.mark.parametrize(
    ("base", "line"),
    [
        ([["a", "b"]], r"^base: expected a matrix of numbers \(images x features\), got shape \(1, 2\) of <U1"),
        (pd.Series([1.0, 2.0]), r"^base: expected a matrix of numbers .*, got shape \(2,\) of float64"),
        (BASE > 3, r"^base: expected a matrix of numbers .*, got shape \(5, 2\) of bool"),
        ([[1.0, 2.0], [3.0]], r"^base: is no array \(.*\); pass an array, or rows of equal length"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_refused(base, line):
    with pytest.raises(ValueError, match=line):
        nearest(QUERIES, base, 1)
