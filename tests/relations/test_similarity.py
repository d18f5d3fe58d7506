"""Cosines between inference patterns: against loops, and at the edges."""

import numpy as np
import pytest

from debugset.relations.patterns import cosines
from tests.reference import relations as naive


def patterns(images=4, attributes=5, units=30, random_state=0, dtype=np.float32):
    return np.random.default_rng(random_state).normal(size=(images, attributes, units)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cosines_equal_loops(dtype):
    given = patterns(dtype=dtype) * np.logspace(-6, 6, 5)[:, None].astype(dtype)
    found = cosines(given)
    expected = [[[naive.cosine(one, other) for other in image] for one in image] for image in given]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert found.dtype == np.float32
    assert np.array_equal(found, found.swapaxes(1, 2))


def test_a_pattern_with_itself_is_one_with_its_opposite_minus_one_and_never_beyond():
    given = patterns(images=300, attributes=3, units=7)
    given[:, 1], given[:, 2] = 3 * given[:, 0], -0.1 * given[:, 0]
    found = cosines(given)
    np.testing.assert_allclose(found[:, [0, 0, 1], [0, 1, 1]], 1, atol=1e-6)
    np.testing.assert_allclose(found[:, :2, 2], -1, atol=1e-6)
    assert np.abs(found).max() <= 1


def test_a_zero_pattern_shares_nothing_even_with_itself():
    given = patterns()
    given[1, 2] = 0
    found = cosines(given)
    assert (found[1, 2] == 0).all()
    assert (found[1, :, 2] == 0).all()
    assert found[0, 2, 2] == pytest.approx(1)


def test_orthogonal_patterns_share_nothing():
    assert cosines(np.eye(3)[None]).tolist() == np.eye(3)[None].tolist()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_missing_value_is_refused(bad):
    given = patterns()
    given[3, 1, 4] = bad
    with pytest.raises(ValueError, match="patterns: a value is missing or infinite"):
        cosines(given)
