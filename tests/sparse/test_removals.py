"""What corrects an error: the search against its naive twin, the controls, and the summary."""

import json

import numpy as np
import pandas as pd
import pytest

from debugset.sparse.layer import DecisionLayer
from debugset.sparse.removals import CHANCES, corrected_shares, find_removals
from tests.base.inputs import BAD_LABELS, FEATURES, LABELS, error
from tests.reference import removals as naive
from tests.sparse.removal_toys import random_problem


def removals(layer, features, labels, **options):
    return find_removals(layer, features, labels, np.arange(len(labels)), **options)


def assert_equals_twin(layer, features, labels, removal="zero"):
    found = removals(layer, features, labels, removal=removal)
    baseline = layer.baseline(removal)
    expected = []
    for image, (activations, label) in enumerate(zip(features, labels, strict=True)):
        predicted = naive.predict(layer, activations)
        if predicted == label:
            continue
        removed = naive.smallest_set(layer, activations, baseline, label)
        blamed = removed[0] if len(removed) == 1 else -1
        used = np.count_nonzero(layer.weights[:, predicted])
        expected.append((image, label, predicted, used, len(removed), json.dumps(removed), blamed))
    assert list(found.drop(columns=list(CHANCES)).itertuples(index=False, name=None)) == expected
    for size, name in enumerate(CHANCES, start=1):
        chances = [naive.chance(layer, features[image], baseline, labels[image], size) for image in found["image_id"]]
        np.testing.assert_allclose(found[name], chances, rtol=0, atol=1e-12)
    return found


@pytest.mark.parametrize("removal", ["zero", "mean"])
@pytest.mark.parametrize("density", [0.5, 1.0])
def test_sets_and_chances_equal_the_twin_s(density, removal):
    sizes = set()
    for random_state in range(8):
        layer, features, labels = random_problem(20, 12, 4, random_state, density)
        sizes |= set(assert_equals_twin(layer, features, labels, removal)["size"])
    assert sizes >= {0, 1, 2} and (density < 1 or sizes >= {3, 4})


@pytest.mark.parametrize("removal", ["zero", "mean"])
def test_ties_equal_the_twin_s(removal):
    for random_state in range(40):
        k = 2 + random_state % 3
        layer, features, labels = random_problem(12, 1 + random_state % 8, k, random_state, 0.7, whole=True)
        assert_equals_twin(layer, features, labels, removal)


def test_of_equal_margins_the_set_that_lowers_the_predicted_class_most_comes_first():
    weights = np.array([[3.0, 0, 0], [4, 0, 0], [2, 0, 1]])
    layer = DecisionLayer(weights, np.array([0, 7.25, 5.75]), np.zeros(3), np.array([10.0, 1, 1]))
    found = removals(layer, np.ones((1, 3)), [1])  # class 2 bounds the margin of 0 and 1; 0 is more important
    assert found["features"].tolist() == ["[1]"]
    assert found["by_chance"].tolist() == [1]


def test_a_smallest_set_is_found_that_greedy_steps_miss():
    weights = np.array([[2.0, 0, 2], [3.5, 0, 0], [0.25, 0, 3.5]])
    layer = DecisionLayer(weights, np.array([0.25, 3, 0.375]), np.zeros(3), np.ones(3))
    found = removals(layer, np.ones((1, 3)), [1])  # 0 alone raises the margin most, and is in no pair that corrects
    assert found["features"].tolist() == ["[1, 2]"]


def test_a_tie_is_no_correction_even_where_the_true_class_comes_first():
    layer = DecisionLayer(np.array([[0.0, 1.0]]), np.zeros(2), np.zeros(1), np.ones(1))
    found = removals(layer, [[2.0]], [0])
    assert (found["size"].tolist(), found["blamed"].tolist(), found["features"].tolist()) == ([0], [-1], ["[]"])


def test_what_is_removed_makes_the_layer_predict_the_true_class():
    layer, features, labels = random_problem(400, 60, 5)
    for removal in ("zero", "mean"):
        found = removals(layer, features, labels, removal=removal)
        without = features[found["image_id"].astype(int)]
        for row, removed in enumerate(map(json.loads, found["features"])):
            without[row, removed] = layer.baseline(removal)[removed]
        assert ((layer.predict(without) == found["label"]) == (found["size"] > 0)).all()
        assert found["size"].nunique() > 5


def test_the_search_stops_at_ten_features():
    layer = DecisionLayer(np.array([[1.0, 0]] * 12), np.array([0, 1.5]), np.zeros(12), np.ones(12))
    features = np.ones((2, 12))
    features[1, 11] = 0  # ten removals leave 1, which is less than the bias
    found = removals(layer, features, [1, 1])
    assert found["size"].tolist() == [0, 10]
    assert found["used"].tolist() == [12, 12]


def test_a_class_without_features_is_blamed_on_none():
    layer = DecisionLayer(np.array([[0.0, 1.0]] * 3), np.array([1.0, 0]), np.zeros(3), np.ones(3))
    found = assert_equals_twin(layer, np.zeros((2, 3)), np.array([1, 0]))
    assert found[["image_id", "used", "size", "blamed"]].to_numpy().tolist() == [[0, 0, 0, -1]]
    assert found[list(CHANCES)].to_numpy().tolist() == [[0, 0, 0]]


def test_without_errors_there_are_no_rows_but_all_columns():
    layer, features, labels = random_problem(20, 5, 3)
    some, none = removals(layer, features, labels), removals(layer, features, layer.predict(features))
    assert len(none) == 0
    assert none.dtypes.drop("image_id").equals(some.dtypes.drop("image_id"))
    assert len(removals(layer, features[:0], [])) == 0


def test_where_sets_are_many_a_draw_estimates_the_chance():
    layer, features, labels = random_problem(60, 30, 3)  # 4,060 sets of three
    found, again = removals(layer, features, labels), removals(layer, features, labels)
    other = removals(layer, features, labels, random_state=1)
    pd.testing.assert_frame_equal(found, again)
    assert (found["by_chance_3"] != other["by_chance_3"]).any()
    pd.testing.assert_frame_equal(found.drop(columns="by_chance_3"), other.drop(columns="by_chance_3"))
    likely = found.nlargest(6, "by_chance_3")
    exact = [naive.chance(layer, features[image], np.zeros(30), labels[image], 3) for image in likely["image_id"]]
    np.testing.assert_allclose(likely["by_chance_3"], exact, rtol=0, atol=0.04)
    assert max(exact) > 0.3


def test_no_random_set_holds_a_feature_twice():
    weights = np.zeros((30, 2))
    weights[:, 0] = [1, *[0.001] * 29]
    layer = DecisionLayer(weights, np.array([0.5, 0.029]), np.zeros(30), np.ones(30))
    found = removals(layer, np.ones((1, 30)), [1])  # the true class is behind by 1.5
    assert found[["used", "by_chance_3"]].to_numpy().tolist() == [[30, 0]]


def test_images_keep_their_names_and_order():
    layer, features, labels = random_problem(30, 5, 3)
    names = [f"image {number}" for number in range(30)]
    found = find_removals(layer, features, labels, names)
    wrong = np.flatnonzero(layer.predict(features) != labels)
    assert found["image_id"].tolist() == [names[row] for row in wrong]
    assert found["label"].tolist() == labels[wrong].tolist()


@pytest.mark.parametrize("kind", FEATURES)
def test_features_of_any_type_give_the_same(kind):
    layer, features, labels = random_problem(30, 5, 3)
    pd.testing.assert_frame_equal(removals(layer, FEATURES[kind](features), labels), removals(layer, features, labels))


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_type_give_the_same(kind):
    layer, features, labels = random_problem(30, 5, 3)
    pd.testing.assert_frame_equal(removals(layer, features, LABELS[kind](labels)), removals(layer, features, labels))


@pytest.mark.parametrize("kind", BAD_LABELS)
def test_labels_that_are_none_are_refused(kind):
    make, line = BAD_LABELS[kind]
    layer, features, _ = random_problem(6, 5, 3)
    with pytest.raises(ValueError, match=error("labels", line, 6)):
        find_removals(layer, features, make(6), range(6))


def test_bad_input_is_named():
    layer, features, labels = random_problem(6, 5, 3)
    with pytest.raises(ValueError, match=r"^labels: 3 is none of the layer's 3 classes; pass indices into them"):
        removals(layer, features, labels + 3 - labels.max())
    with pytest.raises(ValueError, match=r"^features: contains NaN or infinite values"):
        removals(layer, np.where(features == features[2, 1], np.nan, features), labels)
    with pytest.raises(ValueError, match=r"^features: expected 5 features an image"):
        removals(layer, features[:, :4], labels)
    with pytest.raises(ValueError, match=r"^image_ids: expected one value for each of 6 images"):
        find_removals(layer, features, labels, range(5))
    with pytest.raises(ValueError, match=r"^removal: expected zero or mean"):
        removals(layer, features, labels, removal="one")


def test_shares_count_what_at_most_so_many_features_correct():
    errors = pd.DataFrame({"image_id": list("abcdefgh"), "size": [0, 1, 1, 1, 2, 2, 3, 4]})
    for size, name in enumerate(CHANCES, start=1):
        errors[name] = [0.1 * size, 0.3 * size] * 4
    shares = corrected_shares(errors, 500, 0)
    assert shares[["removed", "errors"]].to_numpy().tolist() == [[1, 8], [2, 8], [3, 8]]
    assert shares["share"].tolist() == [3 / 8, 5 / 8, 6 / 8]
    assert shares["chance"].tolist() == pytest.approx([0.2, 0.4, 0.6])
    for low, value, high in (("low", "share", "high"), ("chance_low", "chance", "chance_high")):
        assert (shares[low] < shares[value]).all() and (shares[value] < shares[high]).all()
    assert (shares["high"] <= 1).all() and (shares["chance_high"] - shares["chance_low"] < 0.5).all()


@pytest.mark.filterwarnings("error")
def test_shares_of_no_errors_are_no_numbers():
    layer, features, _ = random_problem(20, 5, 3)
    shares = corrected_shares(removals(layer, features, layer.predict(features)), 100, 0)
    assert shares["errors"].tolist() == [0, 0, 0]
    assert shares[["share", "low", "high", "chance"]].isna().all(axis=None)
