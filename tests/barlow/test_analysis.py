"""Which analyses there are, and what each group's explanation is made of."""

import numpy as np

from debugset.barlow.analysis import analyses_of, explain_group
from debugset.barlow.heldout import heldout_gain
from debugset.barlow.tree import failure_tree
from tests.barlow.toys import CLASSES, PARAMS


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
