"""Failure trees: their numbers against the definitions, their splits against scikit-learn's, their edges."""

import json
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from debugset.barlow.information import mutual_information
from debugset.barlow.tree import FailureTree, Node, failure_tree, holds, read_rule, rule_text, simplify
from tests.base.inputs import BAD_MASKS, FEATURES, MASKS, error
from tests.reference import barlow as naive


def group(n=200, d=40, random_state=0, zeros=0.3):
    rng = np.random.default_rng(random_state)
    failed = rng.random(n) < 0.3
    features = rng.normal(size=(n, d)) + failed[:, None] * np.linspace(0, 1.2, d)
    return np.maximum(features - np.quantile(features, zeros), 0).astype(np.float32), failed


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("random_state", range(4))
def test_every_number_equals_the_definitions(depth, random_state):
    features, failed = group(random_state=random_state)
    tree = failure_tree(features, failed, n_features=5, max_depth=depth)
    clusters = [naive.members(leaf.rule, features.astype(float)) for leaf in tree.leaves]
    assert sorted(chain(*clusters)) == list(range(len(failed)))  # every image is in one leaf
    assert tree.aler == pytest.approx(naive.aler(clusters, failed), abs=1e-12)
    assert tree.base_error_rate == naive.base_error_rate(failed)
    assert len(tree.nodes) == 2 * len(tree.leaves) - 1
    for node in tree.nodes:
        cluster = naive.members(node.rule, features.astype(float))
        assert node.count == len(cluster)
        assert node.error_rate == pytest.approx(naive.error_rate(cluster, failed), abs=1e-12)
        assert node.error_coverage == pytest.approx(naive.error_coverage(cluster, failed), abs=1e-12)
        assert node.importance == pytest.approx(naive.importance(cluster, failed), abs=1e-12)
        assert np.flatnonzero(holds(node.rule, features)).tolist() == cluster


def test_it_is_scikit_learn_s_tree_on_the_most_informative_features():
    features, failed = group()
    tree = failure_tree(features, failed, n_features=6, max_depth=3)
    information = mutual_information(features, failed)
    assert tree.selected.tolist() == np.argsort(-information)[:6].tolist()
    weight = {False: 1.0, True: (~failed).sum() / failed.sum()}
    theirs = DecisionTreeClassifier(criterion="entropy", max_depth=3, class_weight=weight, random_state=0)
    theirs.fit(features[:, tree.selected], failed)
    leaf_of = theirs.apply(features[:, tree.selected])
    ours = [frozenset(np.flatnonzero(holds(leaf.rule, features)).tolist()) for leaf in tree.leaves]
    assert set(ours) == {frozenset(np.flatnonzero(leaf_of == leaf).tolist()) for leaf in np.unique(leaf_of)}


def test_a_rule_names_the_feature_s_own_index_and_its_whole_threshold():
    features, failed = group(d=50)
    features[:, 37] = np.where(failed, 0.1, 0.30000001)
    tree = failure_tree(features, failed)
    low, high = np.float32(0.1), np.float32(0.30000001)
    assert tree.leaves[0].rule == ((37, "<", (float(low) + float(high)) / 2),)
    assert tree.leaves[1].rule[0][:2] == (37, ">=")
    assert rule_text(tree.leaves[0].rule) == f"feature[37] < {(float(low) + float(high)) / 2!r}"
    assert tree.aler == 1


@pytest.mark.parametrize("ulps", [3, 4, 5])
def test_values_that_are_close_in_float32_are_told_apart(ulps):
    low = np.float32(0.7)
    high = low + ulps * np.spacing(low)  # from 1e-7 on, scikit-learn splits between them
    values = np.array([low, low, high, high])
    failed = np.array([True, True, False, False])
    tree = failure_tree(values[:, None], failed)
    assert [leaf.count for leaf in tree.leaves] == [2, 2]
    assert tree.aler == 1
    assert holds(tree.leaves[0].rule, values[:, None]).tolist() == failed.tolist()


def test_figure_5_gives_an_aler_of_0_291():
    low = np.arange(1000) < 220  # 100 failures among 220 images, 100 among the other 780
    failed = np.isin(np.arange(1000), [*range(100), *range(900, 1000)])
    tree = failure_tree(np.where(low, 0.0, 1.0)[:, None], failed)
    assert tree.base_error_rate == 0.2
    assert round(tree.aler, 3) == 0.291
    assert [round(leaf.error_rate, 4) for leaf in tree.leaves] == [0.4545, 0.1282]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=9))
def test_a_leaf_s_error_rate_reaches_the_aler(leaves):
    """Proposition 1."""
    leaves = [(failures, failures + successes) for failures, successes in leaves if failures + successes]
    total, n = sum(f for f, _ in leaves), sum(c for _, c in leaves)
    if not total:
        return
    nodes = [Node((), False, n, total, total / n, 1.0)]
    nodes += [Node((), True, count, f, f / count, f / total) for f, count in leaves]
    tree = FailureTree(tuple(nodes), np.empty(0, np.int64))
    assert max(leaf.error_rate for leaf in tree.leaves) >= tree.aler - 1e-12
    assert tree.aler >= tree.base_error_rate - 1e-12


@pytest.mark.parametrize("failed", [np.zeros(6, bool), np.ones(6, bool)])
def test_a_group_of_one_kind_is_a_root_alone(failed):
    tree = failure_tree(np.random.default_rng(0).random((6, 3)), failed, max_depth=3)
    assert len(tree.nodes) == 1
    assert tree.base_error_rate == tree.aler == float(failed.any())


def test_bad_numbers_are_named():
    features, failed = group(20, 3)
    with pytest.raises(ValueError, match="n_features: must be at least 1, got 0"):
        failure_tree(features, failed, n_features=0)
    with pytest.raises(ValueError, match="max_depth: must be at least 1, got 0"):
        failure_tree(features, failed, max_depth=0)


def test_a_simple_rule_keeps_the_tightest_condition_on_a_side():
    rule = ((3, "<", 0.5), (1, ">=", 0.1), (3, "<", 0.2), (3, ">=", 0.1), (1, ">=", 0.05))
    assert simplify(rule) == ((3, "<", 0.2), (1, ">=", 0.1), (3, ">=", 0.1))
    features = np.random.default_rng(0).random((500, 5)).astype(np.float32)
    assert np.array_equal(holds(rule, features), holds(simplify(rule), features))
    assert holds(rule, features).any()


def test_rules_survive_their_json():
    rule = ((37, "<", 0.1 + 0.2), (3, ">=", float(np.float32(0.7))))
    assert read_rule(json.dumps(rule)) == rule
    assert read_rule("[]") == ()


@pytest.mark.parametrize("kind", MASKS)
def test_failures_of_any_type_grow_the_same_tree(kind):
    features, failed = group(80, 5)
    tree = failure_tree(features, MASKS[kind](failed))
    assert len(tree.leaves) == 2
    assert tree.nodes == failure_tree(features, failed).nodes


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_failures_that_are_no_mask_are_refused(kind):
    make, line = BAD_MASKS[kind]
    with pytest.raises(ValueError, match=error("failed", line, 20)):
        failure_tree(group(20, 3)[0], make(20))


@pytest.mark.parametrize("kind", FEATURES)
def test_features_of_any_type_grow_the_same_tree_and_its_rules_hold(kind):
    features, failed = group(80, 5)
    tree = failure_tree(FEATURES[kind](features), failed)
    assert tree.nodes == failure_tree(features, failed).nodes
    for leaf in tree.leaves:
        assert holds(leaf.rule, FEATURES[kind](features)).tolist() == holds(leaf.rule, features).tolist()


def test_a_rule_holds_for_no_missing_feature():
    features = np.array([[0.0, np.nan], [1.0, 2.0]])
    assert holds(((0, "<", 0.5),), features).tolist() == [True, False]
    with pytest.raises(ValueError, match=r"^features: contains NaN or infinite values; embed these images again$"):
        holds(((1, "<", 0.5),), features)
