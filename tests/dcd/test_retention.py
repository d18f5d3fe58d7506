import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.dcd.retention import chance, retention
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
    with pytest.raises(ValueError, match=r"^classes: expected one for each of 3"):
        retention(np.eye(3), np.arange(2), None, [1])
    with pytest.raises(ValueError, match=r"^contexts: expected one for each of 3"):
        retention(np.eye(3), np.arange(3), np.arange(2), [1])
