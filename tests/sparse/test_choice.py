"""Which layer of a path is chosen: ties, ends, and what cannot be met."""

from dataclasses import replace

import numpy as np
import pytest

from debugset.sparse.choice import by_accuracy, by_features, by_optimum
from debugset.sparse.path import SparsePath


@pytest.fixture
def path() -> SparsePath:
    places = np.arange(5.0)
    return SparsePath(
        lambdas=4 - places,
        weights=np.zeros((5, 3, 2), np.float32),
        bias=np.zeros((5, 2)),
        means=np.zeros(3),
        scales=np.ones(3),
        features_per_class=np.array([0.0, 2.0, 5.0, 4.5, 9.0]),  # a smaller lambda may use fewer
        accuracy=np.array([0.10, 0.78, 0.80, 0.80, 0.76]),
        objective=places,
        kkt=places,
        steps=np.ones(5, np.int64),
    )


@pytest.mark.parametrize(("wished", "place"), [(0.0, 0), (1.9, 0), (2.0, 1), (4.9, 3), (5.0, 2), (99.0, 4)])
def test_features_give_the_densest_layer_that_has_no_more(path: SparsePath, wished: float, place: int) -> None:
    assert by_features(path, wished) == place


@pytest.mark.parametrize(("points", "place"), [(0.0, 3), (1.9, 3), (2.0, 1), (69.0, 1), (70.0, 0)])
def test_accuracy_gives_the_sparsest_layer_that_loses_no_more(path: SparsePath, points: float, place: int) -> None:
    assert by_accuracy(path, points) == place


def test_the_optimum_is_the_sparsest_of_the_best(path: SparsePath) -> None:
    assert by_optimum(path) == 3


def test_what_cannot_be_met_is_refused(path: SparsePath) -> None:
    denser = replace(path, features_per_class=path.features_per_class + 1)
    with pytest.raises(ValueError, match=r"features_per_class: the sparsest layer uses 1, more than 0.5; ask for more"):
        by_features(denser, 0.5)
    with pytest.raises(ValueError, match="features_per_class: expected a number of at least 0, got nan"):
        by_features(path, float("nan"))
    with pytest.raises(ValueError, match=r"points: expected hundredths of accuracy to give up, at least 0, got -1\.0"):
        by_accuracy(path, -1.0)
    unmeasured = replace(path, accuracy=np.full(5, np.nan))
    with pytest.raises(ValueError, match="path: has no validation accuracy to choose by; pass validation"):
        by_optimum(unmeasured)
