"""Which analyses there are, what each group's explanation is made of, and gains on other images and by chance."""

import math
from functools import partial

import numpy as np
import pytest

from debugset.barlow.analysis import analyses_of, chance_gains, explain_group, heldout_gain
from debugset.barlow.tree import failure_tree
from tests.barlow.toys import CLASSES, PARAMS
from tests.reference import barlow as naive


def test_the_original_is_analysed_by_all_features_and_the_robust_model_by_the_first(analysis):
    params = PARAMS.model_copy(update={"features": ["robust", "pixels"]})
    predicted = {"original": analysis.predicted, "robust": analysis.labels}
    features = {"robust": analysis.features, "pixels": analysis.features[:, :2]}
    found = analyses_of(analysis.labels, CLASSES, predicted, features, params)
    assert [(one.model, one.source) for one in found] == [
        ("original", "robust"), ("original", "pixels"), ("robust", "robust"),
    ]  # fmt: skip
    assert [one.features.shape[1] for one in found] == [6, 2, 6]
    assert [one.failed.any() for one in found] == [True, True, False]
    for one in found:
        assert np.array_equal(one.discovery, analysis.discovery)


def test_an_explanation_is_a_tree_of_one_half_tried_on_the_other(analysis):
    group = next(analysis.groups())
    one = explain_group(analysis, group, 1)
    tree = failure_tree(analysis.features[group.discovery], analysis.failed[group.discovery], n_features=4)
    assert one.analysis is analysis
    assert (one.tree.nodes, one.reason) == (tree.nodes, "")
    assert one.heldout_gain == heldout_gain(tree, analysis.features[group.heldout], analysis.failed[group.heldout])
    assert len(one.chance_gains) == 3
    assert np.array_equal(one.chance_gains, explain_group(analysis, group, 1).chance_gains)
    assert not np.array_equal(one.chance_gains, explain_group(analysis, group, 3).chance_gains)


def test_a_group_that_can_not_be_explained_has_a_reason_and_no_tree(analysis):
    (group,) = [group for group in analysis.groups() if (group.grouping, group.class_) == ("label", 2)]
    one = explain_group(analysis, group, 1)
    assert (one.tree, one.reason, len(one.chance_gains)) == (None, "no failures", 0)
    assert np.isnan(one.heldout_gain)


def test_the_gain_of_a_tree_holds_on_other_images_only_where_it_is_no_chance():
    rng = np.random.default_rng(0)
    failed, others = rng.random(400) < 0.4, rng.random(400) < 0.4
    fit = partial(failure_tree, n_features=20, max_depth=1, estimator="binned")
    clear = rng.normal(size=(400, 5)) + 2 * failed[:, None]
    clear_others = rng.normal(size=(400, 5)) + 2 * others[:, None]
    noise, noise_others = rng.normal(size=(400, 300)), rng.normal(size=(400, 300))
    real, lucky = fit(clear, failed), fit(noise, failed)
    assert heldout_gain(real, clear_others, others) > 0.6 * (real.aler - real.base_error_rate) > 0.15
    assert heldout_gain(lucky, noise_others, others) < 0.3 * (lucky.aler - lucky.base_error_rate)
    gains = chance_gains(fit, noise, failed, 20, np.random.default_rng(0))
    assert gains.min() <= lucky.aler - lucky.base_error_rate <= 2 * gains.max()
    assert gains.max() < real.aler - real.base_error_rate


def test_the_held_out_gain_is_aler_minus_ber_by_the_definitions():
    rng = np.random.default_rng(1)
    features, failed = rng.normal(size=(120, 4)), rng.random(120) < 0.4
    tree = failure_tree(features[:60], failed[:60], max_depth=3)
    others, wrong = features[60:], failed[60:]
    clusters = [cluster for leaf in tree.leaves if (cluster := naive.members(leaf.rule, others))]
    assert heldout_gain(tree, others, wrong) == pytest.approx(naive.aler(clusters, wrong) - wrong.mean())
    assert math.isnan(heldout_gain(tree, others, np.zeros(60, bool)))
