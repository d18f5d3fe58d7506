"""Sparse masks: against a greedy that reckons equation 3 anew for every choice, and at both ends of the penalty."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.relations.masks import greedy_mask
from tests.reference import relations as naive


def contributions(images=40, units=60, random_state=0, dtype=np.float32):
    """Units of very different weight, some against the score, in images that differ."""
    rng = np.random.default_rng(random_state)
    weights = rng.normal(size=units) * np.logspace(0, -2, units)
    return (weights + 0.3 * weights * rng.normal(size=(images, units))).astype(dtype)


def kept(mask):
    return set(np.flatnonzero(mask.keep).tolist())


def assert_equals_twin(values, penalty, block):
    found, expected = greedy_mask(values, penalty=penalty, block=block), naive.greedy_mask(values, penalty, block)
    assert kept(found) == expected
    nothing = naive.fidelity(values, set())
    share = naive.fidelity(values, expected) / nothing if nothing else 0.0
    assert found.residual == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("block", [0.001, 0.02, 0.2])
@pytest.mark.parametrize("penalty", [0.01, 0.1, 0.5])
def test_a_mask_and_its_residual_equal_the_twin(penalty, block):
    for random_state in range(3):
        assert_equals_twin(contributions(random_state=random_state), penalty, block)


def test_the_default_is_a_tenth_of_the_cost_and_a_fiftieth_of_the_units():
    values = contributions(images=8, units=120)
    found = greedy_mask(values)
    assert kept(found) == naive.greedy_mask(values, 0.1, 0.02)
    assert 0 < len(kept(found)) < 120


# Small whole numbers of images and units that are powers of two: all sums are exact, so ties are ties.
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_ties_and_overlaps_equal_the_twin(data):
    images, units = data.draw(st.sampled_from([1, 2, 4])), data.draw(st.sampled_from([1, 2, 4, 8]))
    row = st.lists(st.integers(-3, 3), min_size=units, max_size=units)
    values = np.array(data.draw(st.lists(row, min_size=images, max_size=images)), np.float64)
    penalty, block = data.draw(st.sampled_from([0.0, 0.125, 0.5, 2.0])), data.draw(st.sampled_from([0.02, 0.25, 1.0]))
    assert_equals_twin(values, penalty, block)


def test_of_equal_units_the_lower_index_is_kept():
    values = np.tile([0.0, 1.0, 1.0, 1.0], (4, 1))
    mask = greedy_mask(values, penalty=1.9, block=0.02)  # the first pays 4.28 for 5 units of loss, the second not
    assert kept(mask) == {1}
    assert mask.residual == pytest.approx(4 / 9)


def test_units_that_overlap_are_halved_until_they_help():
    values = np.array([[4.0, 4.0, 4.0, 4.0, -12.0, 0.5, 0.5, 0.5]])  # sum 2; two or more fours overshoot
    assert kept(greedy_mask(values, penalty=0.0, block=1.0)) == naive.greedy_mask(values, 0.0, 1.0)
    overshooting = np.array([[3.0, 3.0, 3.0, -5.0]])  # sum 4: three together leave -5, one leaves 1
    mask = greedy_mask(overshooting, penalty=0.0, block=1.0)
    assert kept(mask) == {0}
    assert mask.residual == pytest.approx(1 / 16)


def test_without_a_penalty_all_that_helps_is_kept():
    values = np.abs(contributions()) + 1e-3
    mask = greedy_mask(values, penalty=0.0)
    assert mask.keep.all()
    assert mask.residual == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("penalty", [1e3, 1e9])
def test_a_huge_penalty_keeps_nothing(penalty):
    mask = greedy_mask(contributions(), penalty=penalty)
    assert not mask.keep.any()
    assert mask.residual == 1


def test_a_higher_penalty_keeps_fewer_units_and_explains_less():
    masks = [greedy_mask(contributions(units=200), penalty=penalty, block=0.005) for penalty in (0.01, 0.1, 1.0)]
    counts, residuals = [mask.keep.sum() for mask in masks], [mask.residual for mask in masks]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1] > 0
    assert residuals == sorted(residuals)


def test_the_scale_of_a_network_changes_nothing():
    values = contributions(dtype=np.float64)
    assert np.array_equal(greedy_mask(values).keep, greedy_mask(1024 * values).keep)


def test_a_single_unit_is_kept_if_it_costs_less_than_nothing_kept():
    values = np.array([[2.0], [3.0]])
    assert greedy_mask(values, penalty=0.99) == (np.array([True]), 0.0)
    assert kept(greedy_mask(values, penalty=1.0)) == set()


def test_units_that_never_act_are_not_kept():
    mask = greedy_mask(np.zeros((3, 4)))
    assert not mask.keep.any()
    assert mask.residual == 0
    values = contributions()
    values[:, 5] = 0
    assert not greedy_mask(values, penalty=0.0).keep[5]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_no_image_or_no_unit_is_refused(shape):
    with pytest.raises(ValueError, match="contributions: expected at least one image and one unit"):
        greedy_mask(np.zeros(shape))
