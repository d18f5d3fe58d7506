"""The divergence: against loops over bins, against its limits by quadrature and in closed form, and at the edges."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, truncnorm

from debugset.relations.kullback_leibler import SAMPLES_AT_A_TIME, divergence, observed_shares
from tests.reference import relations as naive


def within(mean, std, count, random_state=0):
    """Samples of a Gaussian inside [-1, 1]."""
    rng = np.random.default_rng(random_state)
    return truncnorm.rvs((-1 - mean) / std, (1 - mean) / std, mean, std, size=count, random_state=rng)


def of_the_limit(mean, std, p_mean, p_std, bins=40, bandwidth=0.05, floor=1e-4):
    """The divergence of infinitely many samples, by the midpoint rule over them; no code of the package in it."""
    grid = np.linspace(-1, 1, 40_001)
    samples = (grid[1:] + grid[:-1]) / 2
    density = norm.pdf(samples, mean, std)
    density /= density.sum()
    edges = np.linspace(-1, 1, bins + 1)
    below = np.stack([norm.cdf(edge, samples, bandwidth) for edge in edges])
    q = (np.diff(below, axis=0) / (below[-1] - below[0])) @ density
    q = (1 - floor) * q + floor / bins
    p = np.diff(norm.cdf(edges, p_mean, p_std))
    p /= p.sum()
    return float((p * np.log(p / q)).sum())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bandwidth", [0.0, 0.05, 0.3])
@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.1), (0.6, 0.4), (-0.95, 0.02), (1.0, 0.2)])
def test_it_equals_loops(mean, std, bandwidth, dtype):
    for count, bins in ((1, 40), (30, 7), (30, 1)):
        samples = within(0.2, 0.4, count).astype(dtype)
        options = {"bins": bins, "bandwidth": bandwidth, "floor": 0.001}
        expected = naive.divergence(samples, mean, std, **options)
        assert divergence(samples, mean, std, **options) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_the_defaults_are_those_that_the_docstring_says():
    samples = within(0.1, 0.3, 50)
    assert divergence(samples, 0.0, 0.01) == pytest.approx(naive.divergence(samples, 0.0, 0.01), rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), st.floats(-1, 1), st.floats(0, 1), st.integers(2, 30))
def test_it_is_finite_never_negative_and_equals_loops(samples, mean, std, bins):
    found = divergence(np.array(samples), mean, std, bins=bins)
    assert np.isfinite(found)
    assert found >= -1e-12
    assert found == pytest.approx(naive.divergence(samples, mean, std, bins=bins), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("mean", "std"), [(0.1, 0.2), (0.3, 0.2), (0.1, 0.3)])
def test_more_samples_come_closer_to_the_value_of_the_distribution(mean, std):
    """P is N(0.1, 0.2): its own samples, and those of a shifted and of a wider Gaussian."""
    limit = of_the_limit(mean, std, 0.1, 0.2)
    errors = []
    for count in (100, 1_000, 10_000, 100_000):
        found = [divergence(within(mean, std, count, random_state), 0.1, 0.2) for random_state in range(4)]
        errors.append(np.abs(np.array(found) - limit).mean())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.01
    assert errors[0] > 10 * errors[-1]
    if (mean, std) == (0.1, 0.2):
        assert limit < 0.005  # the kernel's own
    else:
        assert limit > 0.05


def test_without_kernel_and_floor_it_tends_to_that_of_two_gaussians():
    p_mean, p_std, mean, std = 0.05, 0.2, 0.0, 0.25
    closed_form = np.log(std / p_std) + (p_std**2 + (p_mean - mean) ** 2) / (2 * std**2) - 0.5
    count = 400_000
    samples = norm.ppf((np.arange(count) + 0.5) / count, mean, std)
    samples = samples[np.abs(samples) <= 1]
    found = [divergence(samples, p_mean, p_std, bins=bins, bandwidth=0.0, floor=0.0) for bins in (4, 8, 16, 32, 64)]
    errors = np.abs(np.array(found) - closed_form)
    assert errors.tolist() == sorted(errors, reverse=True)
    assert errors[-1] < 0.02 * closed_form


def test_disjoint_distributions_are_finite_and_further_ones_no_nearer():
    distances = (0.1, 0.2, 0.3, 0.5, 0.9)
    for std, strictly in ((0.15, 5), (0.02, 2)):  # a narrow P reaches the floor soon
        found = [divergence(np.full(100, distance), 0.0, std) for distance in distances]
        assert np.isfinite(found).all()
        assert found == sorted(found) or np.diff(found).min() > -1e-6
        assert (np.diff(found[:strictly]) > 0.1).all()
    bound = np.log(40 / 1e-4)
    assert found[-1] < bound


def test_a_smaller_floor_punishes_what_never_happens_more():
    samples = np.full(50, 0.9)
    found = [divergence(samples, -0.5, 0.1, floor=floor) for floor in (0.5, 1e-2, 1e-4, 1e-8)]
    assert found == sorted(found)
    assert divergence(samples, -0.5, 0.1, floor=0.0, bandwidth=0.0) == np.inf


def test_samples_at_both_ends_count_and_their_kernels_stay_inside():
    edges = np.linspace(-1, 1, 5)
    ends = np.array([-1.0, 1.0, 1.0, 1.0])
    assert observed_shares(ends, edges, 0.0).tolist() == [0.25, 0, 0, 0.75]
    smoothed = observed_shares(ends, edges, 0.01)
    np.testing.assert_allclose(smoothed, [0.25, 0, 0, 0.75], atol=1e-9)
    assert observed_shares(np.array([1.0]), edges, 0.5).sum() == pytest.approx(1)
    assert np.isfinite(divergence(ends, 1.0, 0.1))


def test_a_single_sample_is_a_distribution():
    assert divergence(np.array([0.3]), 0.3, 0.05) < 0.1 < divergence(np.array([0.3]), 0.5, 0.05)


def test_a_narrow_expectation_is_as_wide_as_the_least_deviation():
    samples = within(0.0, 0.05, 500)
    assert divergence(samples, 0.0, 0.0) == divergence(samples, 0.0, 0.03) == divergence(samples, 0.0, 0.05)
    assert divergence(samples, 0.0, 0.05) != divergence(samples, 0.0, 0.06)
    assert divergence(samples, 0.0, 0.01, min_std=0.01) > divergence(samples, 0.0, 0.01)


def test_many_samples_are_worked_on_in_parts():
    samples = within(0.2, 0.3, SAMPLES_AT_A_TIME + 500)
    edges = np.linspace(-1, 1, 6)
    parts = [observed_shares(part, edges, 0.1) * len(part) for part in (samples[:700], samples[700:])]
    np.testing.assert_allclose(observed_shares(samples, edges, 0.1), sum(parts) / len(samples), rtol=1e-12)


BAD = {
    "cosines: expected at least one sample": {"cosines": np.empty(0)},
    r"cosines: a sample is missing or outside \[-1, 1\]": {"cosines": np.array([0.0, 1.0001])},
    "cosines: a sample is missing": {"cosines": np.array([0.0, np.nan])},
    r"mean, std, min_std: .* \(got nan, 0.1, 0.05\)": {"mean": np.nan},
    r"mean, std, min_std: .* \(got 0.0, inf, 0.05\)": {"std": np.inf},
    r"mean, std, min_std: .* one deviation above 0 \(got 0.0, 0.0, 0.0\)": {"std": 0.0, "min_std": 0.0},
    r"bins: expected at least 1 \(got 0\)": {"bins": 0},
    r"bandwidth: expected at least 0.* \(got -0.1\)": {"bandwidth": -0.1},
    r"bandwidth: .* \(got nan\)": {"bandwidth": np.nan},
    r"bandwidth: .* \(got inf\)": {"bandwidth": np.inf},
    r"floor: expected at least 0 and less than 1 \(got 1.0\)": {"floor": 1.0},
    r"floor: .* \(got -0.01\)": {"floor": -0.01},
    r"floor: .* \(got nan\)": {"floor": np.nan},
    r"mean: the Gaussian has nothing inside \[-1, 1\]": {"mean": 9.0},
}


@pytest.mark.parametrize("line", BAD)
def test_a_bad_argument_is_named_in_one_line(line):
    arguments = {"cosines": np.array([0.0, 0.5]), "mean": 0.0, "std": 0.1} | BAD[line]
    with pytest.raises(ValueError, match=line) as caught:
        divergence(**arguments)
    assert "\n" not in str(caught.value)


SAMPLES = np.array([-1, 0, 1, 1, 0])


@pytest.mark.parametrize(
    "samples",
    [SAMPLES, SAMPLES.astype(np.int8), SAMPLES.tolist(), pd.Series(SAMPLES)],
    ids=lambda one: type(one).__name__,
)
def test_samples_of_any_type_have_the_same_divergence(samples):
    for bandwidth in (0.0, 0.05):
        wished = divergence(SAMPLES.astype(float), 0.1, 0.3, bandwidth=bandwidth)
        assert divergence(samples, 0.1, 0.3, bandwidth=bandwidth) == wished


@pytest.mark.parametrize(
    ("samples", "line"),
    [
        (np.zeros((3, 2)), r"^cosines: expected one dimension, got shape \(3, 2\); pass the samples of one pair$"),
        (np.zeros(3, bool), r"^cosines: expected an array of numbers, got shape \(3,\) of bool$"),
        (["0.1", "0.2"], r"^cosines: expected an array of numbers, got shape \(2,\) of <U3$"),
        ([0.1, None], r"^cosines: expected an array of numbers, got shape \(2,\) of object$"),
    ],
)
def test_samples_that_are_no_numbers_are_refused(samples, line):
    with pytest.raises(ValueError, match=line):
        divergence(samples, 0.0, 0.1)
