import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.dcd.retention import chance, retention
from tests.base.inputs import BAD_LABELS, FEATURES, LABELS, error
from tests.features.shards import in_shards
from tests.reference import retention as naive


@settings(max_examples=40, deadline=None)
@given(random_state=st.integers(0, 2**32), values=st.sampled_from([2, 1000]))
def test_equals_the_loop_with_many_twins(random_state, values):
    rng = np.random.default_rng(random_state)
    features = rng.integers(0, values, (12, 2)).astype(np.float32)
    classes, contexts = rng.integers(0, 3, 12), rng.choice(["grass", "brick"], 12).astype(object)
    table = retention(features, classes, contexts, [1, 3, 11]).set_index("k")
    both = [f"{label}{context}" for label, context in zip(classes, contexts, strict=True)]
    for k in (1, 3, 11):
        assert table.loc[k, "class_retention"] == pytest.approx(naive.retention(features, classes, k))
        assert table.loc[k, "context_retention"] == pytest.approx(naive.retention(features, contexts, k))
        assert table.loc[k, "both_retention"] == pytest.approx(naive.retention(features, both, k))
    expected = chance(classes, contexts, [11]).iloc[0]  # all others are neighbours, so chance is what they keep
    for column in ("class_retention", "context_retention", "both_retention"):
        assert table.loc[11, column] == pytest.approx(expected[column])


def test_features_in_parts_are_one_array():
    rng = np.random.default_rng(0)
    values, classes = rng.standard_normal((12, 2)), rng.integers(0, 3, 12)
    parts = in_shards(values, np.arange(12) % 2)
    assert retention(parts, classes, None, [1, 5]).equals(retention(values, classes, None, [1, 5]))


def test_without_contexts_only_classes_are_told():
    table = retention(np.eye(3), np.array([0, 0, 1]), None, [1])
    assert table[["context_retention", "both_retention"]].isna().all(axis=None)
    assert chance(np.array([0, 0, 1]), None, [1])["class_retention"].tolist() == pytest.approx([1 / 3])


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"^ks: must lie between 1 and 2"):
        retention(np.eye(3), np.arange(3), None, [3])
    with pytest.raises(ValueError, match=r"^classes: expected one value for each of 3"):
        retention(np.eye(3), np.arange(2), None, [1])
    with pytest.raises(ValueError, match=r"^contexts: expected one value for each of 3"):
        retention(np.eye(3), np.arange(3), np.arange(2), [1])


PLACES, CLASSES = np.array([[0.0], [1.0], [3.0], [6.0]]), np.array([0, 0, 1, 0])
CONTEXTS = np.array(["grass", "brick", "brick", "brick"], object)


@pytest.mark.parametrize("kind", LABELS)
def test_classes_and_contexts_of_any_type_keep_the_same(kind):
    wished, by_chance = retention(PLACES, CLASSES, CONTEXTS, [1]), chance(CLASSES, CONTEXTS, [1])
    assert wished.iloc[0].tolist() == [1, 0.5, 0.5, 0.0]
    for contexts in (CONTEXTS.tolist(), pd.Series(CONTEXTS), pd.DataFrame({"context": CONTEXTS}), CONTEXTS.astype(str)):
        assert retention(PLACES, LABELS[kind](CLASSES), contexts, [1]).equals(wished)
        assert chance(LABELS[kind](CLASSES), contexts, [1]).equals(by_chance)


@pytest.mark.parametrize("kind", FEATURES)
def test_features_of_any_type_keep_the_same(kind):
    assert retention(FEATURES[kind](PLACES), CLASSES, None, [1]).equals(retention(PLACES, CLASSES, None, [1]))


@pytest.mark.parametrize("kind", BAD_LABELS)
def test_classes_that_are_no_indices_are_refused(kind):
    make, line = BAD_LABELS[kind]
    with pytest.raises(ValueError, match=error("classes", line, 4)):
        retention(PLACES, make(4), None, [1])


@pytest.mark.parametrize("missing", [None, np.nan])
def test_a_context_that_is_missing_is_named(missing):
    contexts = ["grass", missing, "brick", "brick"]
    line = rf"^contexts: expected no missing value, but contexts\[1\] is {missing}; name every value$"
    with pytest.raises(ValueError, match=line):
        retention(PLACES, CLASSES, contexts, [1])
    with pytest.raises(ValueError, match=line):
        chance(CLASSES, np.array(contexts, object), [1])
