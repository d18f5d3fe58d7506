"""Mutual information: both estimators against naive twins, and ksg against scikit-learn."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core import caching
from sklearn.feature_selection import mutual_info_classif

from debugset.barlow.information import _of_sorted, _sorted_columns, mutual_information
from tests.base.inputs import BAD_MASKS, FEATURES, MASKS, error
from tests.reference import barlow as naive

TWINS = {"ksg": naive.ksg, "binned": naive.binned}


def group(n, d, random_state=0, rate=0.3, dtype=np.float32, zeros=0.0):
    """Features of which the first tell most of the failures, and failures."""
    rng = np.random.default_rng(random_state)
    failed = rng.random(n) < rate
    features = rng.normal(size=(n, d)) + failed[:, None] * np.linspace(1.5, 0, d)
    if zeros:
        features = np.maximum(features - np.quantile(features, zeros), 0)
    return features.astype(dtype), failed


def assert_equals_twin(estimator, features, failed):
    found = mutual_information(features, failed, estimator=estimator)
    expected = [TWINS[estimator](column, failed) for column in features.T]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("zeros", [0.0, 0.4])
@pytest.mark.parametrize("estimator", TWINS)
def test_an_estimate_equals_its_twin(estimator, zeros, dtype):
    for n in (61, 100):  # a last bin of another size, and all of one size
        assert_equals_twin(estimator, *group(n, 7, random_state=n, zeros=zeros, dtype=dtype))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=1, max_size=30))
def test_heavy_ties_small_groups_and_empty_classes_equal_the_twins(points):
    features = np.array([[x / 4] for x, _ in points])
    failed = np.array([f for _, f in points])
    for estimator in TWINS:
        assert_equals_twin(estimator, features, failed)


@pytest.mark.parametrize(("n", "failures"), [(400, 120), (57, 20), (60, 2), (60, 1), (12, 3)])
def test_ksg_is_scikit_learn_s_estimate_where_nothing_ties(n, failures):
    rng = np.random.default_rng(n + failures)
    failed = rng.permutation(np.arange(n) < failures)
    features = rng.normal(size=(n, 6)) + failed[:, None] * np.linspace(2, 0, 6)
    expected = mutual_info_classif(features, failed, random_state=0)
    np.testing.assert_allclose(mutual_information(features, failed, estimator="ksg"), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("estimator", TWINS)
def test_the_order_of_images_and_features_changes_nothing(estimator):
    features, failed = group(200, 150, zeros=0.4)  # more features than are worked on at a time
    found = mutual_information(features, failed, estimator=estimator)
    rng = np.random.default_rng(1)
    images, columns = rng.permutation(200), rng.permutation(150)
    again = mutual_information(features[images][:, columns], failed[images], estimator=estimator)
    assert np.array_equal(found[columns], again)
    assert found[:10].mean() > 5 * found[-10:].mean()


@pytest.mark.parametrize("estimator", TWINS)
@pytest.mark.parametrize("failed", [np.zeros(5, bool), np.ones(5, bool)])
def test_a_group_of_one_kind_tells_nothing(estimator, failed):
    features = np.random.default_rng(0).random((5, 3))
    assert mutual_information(features, failed, estimator=estimator).tolist() == [0, 0, 0]


@pytest.mark.parametrize("estimator", TWINS)
def test_a_constant_feature_tells_nothing_and_a_perfect_one_all(estimator):
    failed = np.arange(400) % 4 == 0
    features = np.stack([np.ones(400), np.where(failed, 1.0, 0.0)], axis=1)
    constant, perfect = mutual_information(features, failed, estimator=estimator)
    assert constant == pytest.approx(0, abs=1e-12)
    assert perfect == pytest.approx(-(0.25 * np.log(0.25) + 0.75 * np.log(0.75)), abs=0.01)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float16])
@pytest.mark.parametrize("estimator", TWINS)
def test_other_types_than_the_compiled_ones_give_the_same(estimator, dtype):
    values = np.random.default_rng(0).integers(0, 200, (50, 3)).astype(dtype)
    failed = np.arange(50) % 3 == 0
    found, expected = (
        _of_sorted(_sorted_columns(x[failed]), _sorted_columns(x[~failed]), estimator)
        for x in (values, values.astype(np.float64))
    )
    assert np.array_equal(found, expected)


def test_bad_input_is_named():
    features, failed = group(20, 3)
    with pytest.raises(ValueError, match="estimator: choose binned or ksg"):
        mutual_information(features, failed, estimator="kde")
    with pytest.raises(ValueError, match="features: contains NaN"):
        mutual_information(np.where(failed[:, None], np.nan, features), failed)
    with pytest.raises(ValueError, match="features: there are no images"):
        mutual_information(features[:0], failed[:0])
    with pytest.raises(ValueError, match="failed: expected one value for each of 20 images"):
        mutual_information(features, failed[:, None][:, 0][:7])
    with pytest.raises(ValueError, match="features: expected a matrix"):
        mutual_information(features[:, :0], failed)


@pytest.mark.parametrize("kind", MASKS)
def test_failures_of_any_type_give_the_same_information(kind):
    features, failed = group(60, 3)
    found = mutual_information(features, MASKS[kind](failed))
    assert found.tolist() == mutual_information(features, failed).tolist()
    assert len(set(found.tolist())) > 1


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_failures_that_are_no_mask_are_refused(kind):
    make, line = BAD_MASKS[kind]
    with pytest.raises(ValueError, match=error("failed", line, 20)):
        mutual_information(group(20, 3)[0], make(20))


@pytest.mark.parametrize("kind", FEATURES)
def test_features_of_any_type_give_the_same_information(kind):
    features, failed = group(60, 3, dtype=np.float64)
    expected = mutual_information(features, failed)
    assert mutual_information(FEATURES[kind](features), failed).tolist() == expected.tolist()


def test_a_machine_without_a_folder_for_what_numba_compiles_is_told(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])  # as where none of them can be written
    monkeypatch.delitem(sys.modules, "debugset.barlow.kernels", raising=False)
    monkeypatch.delattr("debugset.barlow.kernels", raising=False)
    with pytest.raises(
        OSError, match=r"^NUMBA_CACHE_DIR: set it to a folder that you may write; numba says: cannot cache"
    ):
        mutual_information(*group(61, 2))
