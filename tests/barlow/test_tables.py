"""The tables of all classes, against counting image by image."""

import numpy as np
import pandas as pd
import pytest

from debugset.barlow.analysis import Analysis, explain
from debugset.barlow.tables import groups_frame, members_frame, modes_frame, nodes_frame, planted_frame, slugs
from debugset.barlow.tree import read_rule
from tests.barlow.toys import CLASSES, PARAMS, made_analysis
from tests.reference import barlow as naive


def test_every_group_has_a_row_and_those_left_out_say_why(analysis, explanations):
    table = groups_frame(explanations)
    assert len(table) == 2 * 2 * 4  # groupings, depths, classes
    reasons = table[table["depth"] == 1].set_index(["grouping", "class"])["reason"]
    assert reasons["label", 2] == reasons["prediction", 2] == "no failures"
    assert "fewer than 10" in reasons["label", 3]
    with_tree = table[table["reason"] == ""]
    assert set(with_tree["class"]) == {0, 1}
    assert with_tree[["gain", "heldout_gain", "chance_gain", "chance_gain_95", "valid"]].notna().all(axis=None)
    assert table[table["reason"] != ""]["gain"].isna().all()


def test_the_planted_weakness_is_found_and_holds_and_noise_does_not(analysis, explanations):
    modes = modes_frame(explanations)
    best = modes.iloc[0]
    assert best["mode"] == "label-coat-1"
    (feature, side, threshold), *others = read_rule(best["rule"])
    assert (feature, side, others) == (2, "<", [])
    assert threshold == pytest.approx(0.3, abs=0.05)
    assert best["holds"]
    assert modes["importance"].is_monotonic_decreasing
    assert not modes[modes["mode"].str.startswith("label-toy_poodle")]["holds"].any()
    gains = groups_frame(explanations).query("grouping == 'label' and depth == 1").set_index("class")
    assert gains.loc[0, "gain"] > 4 * gains.loc[0, "chance_gain_95"]
    assert gains.loc[1, "heldout_gain"] < 0.05 < gains.loc[0, "heldout_gain"]


def test_p_is_corrected_for_the_groups_that_were_explained():
    analysis = made_analysis(n=250, random_state=3, min_gain=0.0, min_coverage=0.0)
    explanations = explain(analysis)
    modes = modes_frame(explanations)
    tried = sum(one.depth == 1 and one.tree is not None for one in explanations)
    assert tried == 4
    assert len(modes) <= tried
    assert modes["p_corrected"].tolist() == pytest.approx(np.minimum(modes["p"] * tried, 1).tolist())
    assert modes["p"].between(1e-9, 0.2).any()  # one that the correction changes
    assert modes["holds"].tolist() == (modes["p_corrected"] < 0.05).tolist()


def test_names_of_modes_are_names_of_files_and_each_class_s_own():
    classes = ["toy poodle", "toy/poodle", "crane (n02012849)", "../etc", "boot"]
    assert slugs(classes) == [
        "toy_poodle_0", "toy_poodle_1", "crane_n02012849_", ".._etc", "boot",
    ]  # fmt: skip


def test_a_mode_s_numbers_are_those_of_counting(analysis, explanations):
    modes, failed = modes_frame(explanations), analysis.failed
    for mode in modes.to_dict("records"):
        keys = analysis.labels if mode["grouping"] == "label" else analysis.predicted
        for half, prefix in ((analysis.discovery, ""), (~analysis.discovery, "heldout_")):
            group = np.flatnonzero((keys == mode["class"]) & half)
            inside = group[naive.members(read_rule(mode["rule"]), analysis.features[group].astype(float))]
            assert mode[f"{prefix}count"] == len(inside)
            assert mode[f"{prefix}failures"] == failed[inside].sum()
            assert mode[f"{prefix}error_rate"] == pytest.approx(failed[inside].mean())
            assert mode[f"{prefix}error_coverage"] == pytest.approx(failed[inside].sum() / failed[group].sum())
            assert mode[f"{prefix}base_error_rate"] == pytest.approx(failed[group].mean())


def test_members_are_the_group_s_images_with_their_half(analysis, explanations):
    ids = np.array([f"i{place}" for place in range(len(analysis.labels))], object)
    modes = modes_frame(explanations)
    members = members_frame(analysis, modes, ids)
    for mode in modes.to_dict("records"):
        mine = members[members["mode"] == mode["mode"]]
        keys = analysis.labels if mode["grouping"] == "label" else analysis.predicted
        assert sorted(mine["image_id"]) == sorted(ids[keys == mode["class"]])
        inside = mine[mine["inside"] & (mine["half"] == "discovery")]
        assert (len(inside), inside["failed"].sum()) == (mode["count"], mode["failures"])
    assert members_frame(analysis, modes.head(0), ids).columns.tolist() == members.columns.tolist()


def test_nodes_tell_every_tree(analysis, explanations):
    nodes = nodes_frame(explanations)
    roots = nodes[nodes["node"] == 0]
    assert len(roots) == sum(one.tree is not None for one in explanations)
    assert (roots["rule"] == "").all()
    leaves = nodes[nodes["is_leaf"]].groupby(["grouping", "depth", "class"])["importance"].sum()
    table = groups_frame(explanations).dropna(subset="aler").set_index(["grouping", "depth", "class"])["aler"]
    pd.testing.assert_series_equal(leaves.sort_index(), table.sort_index(), check_names=False)


def test_the_same_analysis_gives_the_same_tables(analysis, explanations):
    again = explain(made_analysis())
    for frame in (groups_frame, modes_frame, nodes_frame):
        pd.testing.assert_frame_equal(frame(explanations), frame(again))


def test_nobody_fails_or_nothing_is_found():
    analysis = made_analysis()
    perfect = Analysis(
        "original", "robust", analysis.features, analysis.labels, analysis.labels, analysis.discovery, CLASSES, PARAMS
    )
    explanations = explain(perfect)
    assert modes_frame(explanations).empty
    assert (groups_frame(explanations)["reason"] != "").all()
    assert planted_frame(explanations, np.full(600, "x", object), set()).empty


def test_the_planted_cause_is_scored_on_the_held_out_half(analysis, explanations):
    contexts = np.where(analysis.features[:, 2] < 0.3, "bad", "good").astype(object)
    frequent = {(label, "good") for label in range(4)}
    table = planted_frame(explanations, contexts, frequent).query("grouping == 'label' and depth == 1")
    scores = table.set_index("class").loc[0]
    assert scores["precision"] > 0.9
    assert scores["recall"] > 0.9
    group = np.flatnonzero((analysis.labels == 0) & ~analysis.discovery)
    assert scores["base"] == (contexts[group] == "bad").mean()
