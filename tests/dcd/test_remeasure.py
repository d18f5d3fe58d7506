"""Failure modes measured again on other models: the same images, counted one by one."""

import numpy as np
import pandas as pd
import pytest

from debugset.barlow.analysis import explain
from debugset.barlow.tables import members_frame, modes_frame
from debugset.dcd.remeasure import remeasure
from tests.barlow.toys import made_analysis


@pytest.fixture(scope="module")
def study():
    return made_analysis()


@pytest.fixture(scope="module")
def tables(study):
    ids = np.array([f"i{place}" for place in range(len(study.labels))], object)
    modes = modes_frame(explain(study))
    return modes, members_frame(study, modes, ids)


def predictions_of(study, variants):
    """Rows for every variant and random state; its value maps labels and the original's predictions to predictions."""
    ids = [f"i{place}" for place in range(len(study.labels))]
    frames = []
    for model, random_state, predicted in variants:
        frame = pd.DataFrame({"image_id": ids, "label": study.labels, "predicted": predicted})
        frames.append(frame.assign(model=model, random_state=random_state))
    return pd.concat(frames, ignore_index=True)


def test_modes_are_measured_again_on_the_same_held_out_images(study, tables):
    modes, members = tables
    rng = np.random.default_rng(0)
    half_right = np.where(rng.random(600) < 0.5, study.labels, study.predicted)
    rows = [("original", 0, study.predicted), ("retrain", 1, half_right), ("dcd", 1, study.labels)]
    found = remeasure(members, predictions_of(study, rows), 200, 0).set_index(["mode", "variant"])
    for mode in modes.to_dict("records"):
        before = found.loc[mode["mode"], "original"]
        assert before["images"] == mode["heldout_count"]
        assert before["error_rate"] == pytest.approx(mode["heldout_error_rate"])
        assert before["error_coverage"] == pytest.approx(mode["heldout_error_coverage"])
        assert before["base_error_rate"] == pytest.approx(mode["heldout_base_error_rate"])
        assert before["low"] <= before["error_rate"] <= before["high"]
        after, retrained = found.loc[mode["mode"], "dcd"], found.loc[mode["mode"], "retrain"]
        assert after["error_rate"] == after["base_error_rate"] == 0
        assert np.isnan(after["error_coverage"])  # no errors to cover
        assert after["fewer"] == pytest.approx(retrained["error_rate"])
        assert after["fewer_low"] <= after["fewer"] <= after["fewer_high"]
    assert np.isnan(found.loc["label-coat-1", "retrain"]["fewer"])
    every = members[(members["half"] == "heldout") & members["inside"]]["image_id"].nunique()
    assert found.loc["all", "original"]["images"] == every


def test_several_runs_are_averaged(study, tables):
    _, members = tables
    rows = [("original", 0, study.predicted), ("dcd", 1, study.labels), ("dcd", 2, study.predicted)]
    found = remeasure(members, predictions_of(study, rows), 200, 0).set_index(["mode", "variant"])
    before, after = found.loc["all", "original"], found.loc["all", "dcd"]
    assert after["runs"] == 2
    assert after["error_rate"] == pytest.approx(before["error_rate"] / 2)
    assert after["error_coverage"] == pytest.approx(before["error_coverage"])


def test_no_modes_leave_nothing_to_measure(study, tables):
    _, members = tables
    found = remeasure(members.head(0), predictions_of(study, [("original", 0, study.labels)]))
    assert found.empty
    assert "error_rate" in found


def test_a_variant_without_some_images_is_named(study, tables):
    _, members = tables
    rows = predictions_of(study, [("original", 0, study.predicted), ("dcd", 1, study.labels)])
    with pytest.raises(ValueError, match="'dcd' has"):
        remeasure(members, rows.iloc[:-300], 100, 0)
