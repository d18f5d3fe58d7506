"""The analysis of all classes: its tables, against counting image by image; mending."""

import json

import numpy as np
import pandas as pd
import pytest

from debugset.barlow.mending import chosen_failures, listing
from debugset.barlow.params import BarlowParams
from debugset.barlow.study import (
    Study,
    explain,
    groups_frame,
    members_frame,
    modes_frame,
    nodes_frame,
    planted_frame,
    read_rule,
    slugs,
)
from debugset.base.params import ParamsError, check
from tests.barlow.toys import CLASSES, PARAMS, made_study
from tests.reference import barlow as naive


@pytest.fixture(scope="module")
def study():
    return made_study()


@pytest.fixture(scope="module")
def explained(study):
    return explain(study)


def test_every_group_has_a_row_and_those_left_out_say_why(study, explained):
    table = groups_frame(study, explained)
    assert len(table) == 2 * 2 * 4  # groupings, depths, classes
    reasons = table[table["depth"] == 1].set_index(["grouping", "class"])["reason"]
    assert reasons["label", 2] == reasons["prediction", 2] == "no failures"
    assert "fewer than 10" in reasons["label", 3]
    explained_rows = table[table["reason"] == ""]
    assert set(explained_rows["class"]) == {0, 1}
    assert explained_rows[["gain", "heldout_gain", "chance_gain", "chance_gain_95", "valid"]].notna().all(axis=None)
    assert table[table["reason"] != ""]["gain"].isna().all()


def test_the_planted_weakness_is_found_and_holds_and_noise_does_not(study, explained):
    modes = modes_frame(study, explained)
    best = modes.iloc[0]
    assert best["mode"] == "label-coat-1"
    (feature, side, threshold), *others = read_rule(best["rule"])
    assert (feature, side, others) == (2, "<", [])
    assert threshold == pytest.approx(0.3, abs=0.05)
    assert best["holds"]
    assert modes["importance"].is_monotonic_decreasing
    assert not modes[modes["mode"].str.startswith("label-toy_poodle")]["holds"].any()
    gains = groups_frame(study, explained).query("grouping == 'label' and depth == 1").set_index("class")
    assert gains.loc[0, "gain"] > 4 * gains.loc[0, "chance_gain_95"]
    assert gains.loc[1, "heldout_gain"] < 0.05 < gains.loc[0, "heldout_gain"]


def test_p_is_corrected_for_the_groups_that_were_explained():
    study = made_study(n=250, random_state=3, min_gain=0.0, min_coverage=0.0)
    explained = explain(study)
    modes = modes_frame(study, explained)
    tried = sum(one.depth == 1 and one.tree is not None for one in explained)
    assert tried == 4
    assert len(modes) <= tried
    assert modes["p_corrected"].tolist() == pytest.approx(np.minimum(modes["p"] * tried, 1).tolist())
    assert modes["p"].between(1e-9, 0.2).any()  # one that the correction changes
    assert modes["holds"].tolist() == (modes["p_corrected"] < 0.05).tolist()


def test_a_depth_of_modes_that_no_tree_has_is_refused():
    section = {"barlow": PARAMS.model_dump() | {"mode_depth": 2}}
    with pytest.raises(ParamsError, match="`mode_depth` 2 is none of `depths`; add it there"):
        check(section, "barlow", BarlowParams)


def test_names_of_modes_are_names_of_files_and_each_class_s_own():
    classes = ["toy poodle", "toy/poodle", "crane (n02012849)", "../etc", "boot"]
    assert slugs(classes) == [
        "toy_poodle_0", "toy_poodle_1", "crane_n02012849_", ".._etc", "boot",
    ]  # fmt: skip


def test_a_mode_s_numbers_are_those_of_counting(study, explained):
    modes, failed = modes_frame(study, explained), study.failed
    for mode in modes.to_dict("records"):
        keys = study.labels if mode["grouping"] == "label" else study.predicted
        for half, prefix in ((study.discovery, ""), (~study.discovery, "heldout_")):
            group = np.flatnonzero((keys == mode["class"]) & half)
            inside = group[naive.members(read_rule(mode["rule"]), study.features[group].astype(float))]
            assert mode[f"{prefix}count"] == len(inside)
            assert mode[f"{prefix}failures"] == failed[inside].sum()
            assert mode[f"{prefix}error_rate"] == pytest.approx(failed[inside].mean())
            assert mode[f"{prefix}error_coverage"] == pytest.approx(failed[inside].sum() / failed[group].sum())
            assert mode[f"{prefix}base_error_rate"] == pytest.approx(failed[group].mean())


def test_members_are_the_group_s_images_with_their_half(study, explained):
    ids = np.array([f"i{place}" for place in range(len(study.labels))], object)
    modes = modes_frame(study, explained)
    members = members_frame(study, modes, ids)
    for mode in modes.to_dict("records"):
        mine = members[members["mode"] == mode["mode"]]
        keys = study.labels if mode["grouping"] == "label" else study.predicted
        assert sorted(mine["image_id"]) == sorted(ids[keys == mode["class"]])
        inside = mine[mine["inside"] & (mine["half"] == "discovery")]
        assert (len(inside), inside["failed"].sum()) == (mode["count"], mode["failures"])
    assert members_frame(study, modes.head(0), ids).columns.tolist() == members.columns.tolist()


def test_nodes_tell_every_tree(study, explained):
    nodes = nodes_frame(study, explained)
    roots = nodes[nodes["node"] == 0]
    assert len(roots) == sum(one.tree is not None for one in explained)
    assert (roots["rule"] == "").all()
    leaves = nodes[nodes["is_leaf"]].groupby(["grouping", "depth", "class"])["importance"].sum()
    table = groups_frame(study, explained).dropna(subset="aler").set_index(["grouping", "depth", "class"])["aler"]
    pd.testing.assert_series_equal(leaves.sort_index(), table.sort_index(), check_names=False)


def test_the_same_study_gives_the_same_tables(study, explained):
    again = explain(made_study())
    for frame in (groups_frame, modes_frame, nodes_frame):
        pd.testing.assert_frame_equal(frame(study, explained), frame(made_study(), again))


def test_nobody_fails_or_nothing_is_found():
    study = made_study()
    perfect = Study("original", "robust", study.features, study.labels, study.labels, study.discovery, CLASSES, PARAMS)
    explained = explain(perfect)
    assert modes_frame(perfect, explained).empty
    assert (groups_frame(perfect, explained)["reason"] != "").all()
    assert planted_frame(perfect, explained, np.full(600, "x", object), set()).empty
    assert listing(modes_frame(perfect, explained), []) == "no failure modes were found"


def test_the_planted_cause_is_scored_on_the_held_out_half(study, explained):
    contexts = np.where(study.features[:, 2] < 0.3, "bad", "good").astype(object)
    usual = {(label, "good") for label in range(4)}
    table = planted_frame(study, explained, contexts, usual).query("grouping == 'label' and depth == 1")
    scores = table.set_index("class").loc[0]
    assert scores["precision"] > 0.9
    assert scores["recall"] > 0.9
    group = np.flatnonzero((study.labels == 0) & ~study.discovery)
    assert scores["base"] == (contexts[group] == "bad").mean()


@pytest.fixture
def tables(study, explained):
    ids = np.array([f"i{place}" for place in range(len(study.labels))], object)
    modes = modes_frame(study, explained)
    return modes, members_frame(study, modes, ids)


def test_mending_takes_the_failures_of_the_discovery_half_that_the_rule_holds_for(study, tables):
    modes, members = tables
    found = chosen_failures(["label-coat-1"], modes, members, CLASSES, ["coat", "bag"])
    low = (study.labels == 0) & study.failed & study.discovery
    low &= study.features[:, 2].astype(float) < read_rule(modes["rule"].iloc[0])[0][2]
    assert sorted(found["image_id"]) == sorted(f"i{place}" for place in np.flatnonzero(low))
    assert set(found["class"]) == {"coat"}
    twice = chosen_failures(["label-coat-1", "label-coat-1"], modes, members, CLASSES, ["coat"])
    assert twice["image_id"].is_unique


def test_mending_refuses_unknown_modes_and_classes_without_a_pool(tables):
    with pytest.raises(ValueError, match="label-hat-1: is no failure mode; `debugset barlow list` names them"):
        chosen_failures(["label-hat-1"], *tables, CLASSES, ["coat"])
    with pytest.raises(ValueError, match="none of its failures is of a debug class"):
        chosen_failures(["label-coat-1"], *tables, CLASSES, ["bag"])


def test_the_listing_names_every_mode_and_marks_the_mended(tables):
    modes, _ = tables
    lines = listing(modes, ["label-coat-1"]).splitlines()
    assert len(lines) == 1 + len(modes)
    assert lines[1].startswith("label-coat-1")
    assert "* " in lines[1]
    assert "feature[2] < " in lines[1]
    assert all("does not hold" in line for line, holds in zip(lines[1:], modes["holds"], strict=True) if not holds)


def test_rules_survive_their_text(tables):
    modes, _ = tables
    rule = modes["rule"].iloc[0]
    assert json.loads(rule) == [list(condition) for condition in read_rule(rule)]
