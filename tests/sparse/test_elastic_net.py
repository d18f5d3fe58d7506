"""The path of sparse layers: against FISTA and scikit-learn, whatever the blocks, and on images of few classes."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from debugset.features.store import Features, Part
from debugset.sparse import elastic_net
from debugset.sparse.elastic_net import elastic_net_path
from tests.reference import elastic_net as naive

CLASSES, WIDTH, CONSTANT = 5, 30, 7


def images(classes, count=500, random_state=0):
    """Features after a ReLU, unequal in scale, one of them constant; and labels."""
    rng = np.random.default_rng(random_state)
    labels = rng.integers(0, classes, count)
    centres = rng.normal(size=(classes, WIDTH)) * (rng.random((classes, WIDTH)) < 0.3)
    features = np.maximum(centres[labels] + rng.normal(size=(count, WIDTH)), 0) * rng.uniform(0.1, 10, WIDTH)
    features[:, CONSTANT] = 3
    return features.astype(np.float32), labels


def solve(features, labels, **options):
    return elastic_net_path(features, labels, **({"n_lambdas": 8, "epsilon": 1e-2, "dense_end": False} | options))


def near(weights):
    """Differences that stop criteria allow."""
    return 2e-3 * float(np.abs(weights).max())


def check_against_fista(path, features, labels, image_weights=1.0):
    """Objective, support and KKT residual at every lambda above 0."""
    x = naive.standardise(features.astype(np.float64))
    classes = path.bias.shape[1]
    weights, bias = np.zeros((WIDTH, classes)), np.zeros(classes)
    for place in np.flatnonzero(path.lambdas).tolist():
        strength, layer = path.lambdas[place], path.layer(place)
        weights, bias = naive.fista(x, labels, weights, bias, strength, 0.99, image_weights, 1e-4 * strength)
        expected = naive.objective(x, labels, weights, bias, strength, 0.99, image_weights)
        found = layer.importance, layer.logits(path.means[None])[0]
        assert naive.objective(x, labels, *found, strength, 0.99, image_weights) == pytest.approx(expected, rel=1e-6)
        assert path.objective[place] == pytest.approx(expected, rel=2e-6)
        assert naive.kkt(x, labels, *found, strength, 0.99, image_weights) <= 1.2e-2 * strength
        large = np.abs(weights) > 0.01 * np.abs(weights).max()
        if large.any():
            assert (layer.weights[large] != 0).all()
            assert np.abs(found[0][~large]).max() < 0.015 * np.abs(weights).max()


@pytest.fixture(scope="module")
def problem():
    return images(CLASSES)


@pytest.fixture(scope="module")
def path(problem):
    return elastic_net_path(*problem, n_lambdas=15)


@pytest.mark.parametrize("classes", [2, CLASSES])
def test_every_lambda_is_solved_as_fista_solves_it(classes):
    features, labels = images(classes)
    path = solve(features, labels, n_lambdas=12)
    check_against_fista(path, features, labels)
    assert (path.kkt <= 1e-2).all()


@pytest.mark.parametrize(("classes", "alpha"), [(2, 1.0), (CLASSES, 0.9)])
def test_scikit_learn_agrees(classes, alpha):
    """Of two classes it fits one logit, the difference: by the lasso alone both cost the same."""
    features, labels = images(classes)
    path = solve(features, labels, n_lambdas=3, epsilon=0.05, alpha=alpha)
    x = naive.standardise(features.astype(np.float64))
    strength = 1 / (len(x) * path.lambdas[-1])
    saga = LogisticRegression(solver="saga", l1_ratio=alpha, C=strength, tol=1e-6, max_iter=5000, random_state=0)
    theirs, ours = saga.fit(x, labels).coef_, path.layer(-1).importance.T
    ours = ours[1:] - ours[:1] if classes == 2 else ours
    assert ours == pytest.approx(theirs, abs=0.005 * np.abs(theirs).max())


def test_the_optimum_s_conditions_hold_whatever_error_is_allowed(problem):
    path = solve(*problem, tolerance=1.0)
    assert (path.kkt <= 1e-2).all()


def test_the_first_model_uses_no_feature_and_knows_the_classes_shares(problem, path):
    assert not path.weights[0].any()
    assert path.weights[1].any()
    shares = np.exp(path.bias[0]) / np.exp(path.bias[0]).sum()
    assert shares == pytest.approx(np.bincount(problem[1]) / len(problem[1]), rel=1e-4)
    largest = np.abs(
        naive.gradient(naive.standardise(problem[0]), problem[1], np.zeros((WIDTH, CLASSES)), path.bias[0])[0]
    )
    assert path.lambdas[0] == pytest.approx(largest.max() / 0.99, rel=1e-4)


def test_the_dense_end_has_a_gradient_as_small_as_at_the_smallest_lambda(problem, path):
    assert path.lambdas[-1] == 0
    assert path.kkt[-1] <= 1e-2
    layer = path.layer(-1)
    x = naive.standardise(problem[0].astype(np.float64))
    violation = naive.kkt(x, problem[1], layer.importance, layer.logits(path.means[None])[0], 0.0, 0.99)
    assert violation <= 1.2e-2 * path.lambdas[-2]
    assert violation == pytest.approx(path.kkt[-1] * path.lambdas[-2], rel=0.1)
    assert layer.features_per_class == path.features_per_class[-1] == WIDTH - 1


@pytest.mark.parametrize(
    "options", [{"block_rows": 60}, {"keep_logits": False}, {"block_rows": 499, "keep_logits": False}]
)
def test_blocks_and_kept_logits_change_nothing_but_the_last_digits(problem, options):
    expected, path = solve(*problem), solve(*problem, **options)
    assert path.weights == pytest.approx(expected.weights, abs=near(expected.weights))
    assert path.objective == pytest.approx(expected.objective, rel=1e-6)


def test_the_number_of_threads_changes_no_bit(problem, monkeypatch):
    paths = []
    for count in ("1", "3"):
        monkeypatch.setenv("DEBUGSET_WORKERS", count)
        paths.append(solve(*problem, block_rows=64))
    assert (paths[0].weights == paths[1].weights).all()
    assert (paths[0].bias == paths[1].bias).all()


def test_features_larger_than_memory_are_read_by_blocks(problem, tmp_path, monkeypatch):
    """Two parts of float16 whose rows alternate; no block is kept."""
    values = problem[0].astype(np.float16)
    parts = []
    for name, rows in {"even": np.arange(0, 500, 2), "odd": np.arange(1, 500, 2)}.items():
        np.save(tmp_path / f"{name}.npy", values[rows])
        parts.append(Part(rows, np.load(tmp_path / f"{name}.npy", mmap_mode="r"), ""))
    monkeypatch.setattr("debugset.sparse.design._KEPT_BYTES", 0)
    path = solve(Features(parts), problem[1], block_rows=70)
    check_against_fista(path, values, problem[1])
    assert path.weights.dtype == np.float32


def test_float64_stays_so_and_reaches_a_smaller_error(problem):
    features, labels = problem[0].astype(np.float64), problem[1]
    path = solve(features, labels, n_lambdas=3, tolerance=1e-10)
    x, strength = naive.standardise(features), path.lambdas[-1]
    start = np.zeros((WIDTH, CLASSES)), np.zeros(CLASSES)
    best = naive.objective(x, labels, *naive.fista(x, labels, *start, strength, 0.99, violation=1e-8), strength, 0.99)
    assert path.objective[-1] == pytest.approx(best, rel=1e-9)
    assert path.weights.dtype == np.float64


def test_class_weights_count_images_and_have_a_mean_of_one(problem):
    weights = np.array([1.0, 2, 3, 4, 5])
    path, scaled = solve(*problem, class_weights=weights), solve(*problem, class_weights=[10, 20, 30, 40, 50])
    of_images = weights[problem[1]]
    check_against_fista(path, *problem, of_images / of_images.mean())
    assert scaled.weights == pytest.approx(path.weights, rel=1e-3, abs=1e-6)


def test_weights_are_for_features_as_they_are(problem):
    features, labels = problem
    scale, shift = np.float32(2) ** np.arange(WIDTH) / 1024, np.arange(WIDTH, dtype=np.float32)
    expected, path = solve(features, labels), solve(features * scale + shift, labels)
    assert path.weights * scale[:, None] == pytest.approx(expected.weights, abs=near(expected.weights))
    logits = path.layer(-1).logits(features * scale + shift)
    assert logits == pytest.approx(expected.layer(-1).logits(features), abs=0.02)


def test_a_constant_feature_gets_no_weight(path):
    assert not path.weights[:, CONSTANT].any()
    assert path.scales[CONSTANT] == 0
    assert path.means[CONSTANT] == 3


def test_a_nearly_constant_feature_is_a_constant():
    features, labels = images(3, 200)
    features[:, 0] = 1e4 + 1e-3 * (labels == 1)
    path = solve(features, labels)
    assert path.scales[0] == 0
    assert not path.weights[:, 0].any()


def test_a_class_without_images_is_never_predicted():
    features, labels = images(3)
    expected, path = solve(features, labels), solve(features, labels * 2, classes=6)
    assert not path.weights[:, :, [1, 3, 5]].any()
    assert path.weights[:, :, [0, 2, 4]].tolist() == expected.weights.tolist()
    assert np.isin(path.layer(-1).predict(features), [0, 2, 4]).all()
    assert path.features_per_class[-1] == pytest.approx(expected.features_per_class[-1] / 2)


def test_images_of_one_class_give_layers_without_features(problem):
    path = elastic_net_path(
        problem[0], np.full(500, 2), classes=3, n_lambdas=4, validation=(problem[0], np.full(500, 2))
    )
    assert not path.weights.any()
    assert path.accuracy.tolist() == [1] * 5


def test_one_lambda_is_the_null_model(problem):
    path = solve(*problem, n_lambdas=1)
    assert len(path) == 1
    assert not path.weights.any()


def test_accuracy_is_that_of_the_validation_images(problem):
    features, labels = images(CLASSES, 90, random_state=0)
    labels[:9] = (labels[:9] + 1) % CLASSES
    path = solve(*problem, validation=(features.tolist(), labels.tolist()), block_rows=64)
    expected = [(path.layer(place).predict(features) == labels).mean() for place in range(len(path))]
    assert path.accuracy.tolist() == expected
    assert np.isnan(solve(*problem, n_lambdas=1).accuracy).all()


def test_lambdas_that_run_out_of_steps_are_told(problem, monkeypatch):
    monkeypatch.setattr(elastic_net, "_MAX_STEPS", 2)
    with pytest.warns(UserWarning, match="of 3 lambdas, the first .*: after 2 steps the optimum's conditions"):
        path = solve(*problem, n_lambdas=3, epsilon=1e-3)
    assert path.kkt.max() > 1e-2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"labels": np.full(500, -1)}, r"labels: expected class indices from 0, but labels\[0\] is -1"),
        ({"features": np.empty((0, 3))}, "features: there are no images"),
        ({"features": np.full((500, 3), np.nan)}, "features: contains NaN or infinite values"),
        ({"classes": 2}, "labels: 4 is no class of 2; count from 0, or pass classes"),
        ({"validation": (np.zeros((2, 3)), [0, 1])}, "validation features: expected 30 features"),
        ({"validation": (np.zeros((0, 30)), [])}, "validation: there are no images"),
        ({"validation": (np.zeros((2, 30)), [0, 9])}, "validation labels: 9 is no class of 5"),
        ({"class_weights": [1, 1, 1, 1, 0]}, "class_weights: expected a positive number for each of 5 classes"),
        ({"class_weights": [1, 1]}, "class_weights: expected a positive number for each of 5 classes"),
        ({"alpha": 0.0}, "alpha: expected a share above 0, at most 1, got 0.0"),
        ({"epsilon": 0.0}, "epsilon: expected a share above 0"),
        ({"n_lambdas": 0}, "n_lambdas: expected a whole number of at least 1, got 0"),
    ],
)
def test_bad_input_is_refused(problem, options, said):
    arguments = {"features": problem[0], "labels": problem[1]} | options
    with pytest.raises(ValueError, match=said):
        elastic_net_path(**arguments)


def test_steps_that_ran_too_far_ahead_are_taken_back(monkeypatch):
    monkeypatch.setattr(elastic_net, "_MAX_STEPS", 300)
    rng = np.random.default_rng(0)
    seen = rng.standard_normal((80, 20))
    labels = (seen @ rng.standard_normal((20, 5))).argmax(axis=1)
    mixed = seen @ np.diag(10.0 ** rng.uniform(-2, 2, 20)) @ rng.standard_normal((20, 20))  # nearly repeat each other
    with pytest.warns(UserWarning, match="after 300 steps the optimum's conditions are still violated"):
        path = elastic_net_path(mixed, labels, n_lambdas=6, epsilon=1e-4, dense_end=False)
    assert path.kkt.max() < 2  # above 10 where momentum goes on while the objective rises
