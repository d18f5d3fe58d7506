"""Mending failure modes: which failures are taken, what is refused, and the list of modes."""

import numpy as np
import pytest

from debugset.barlow.mending import listing, select_failures
from debugset.barlow.tables import members_frame, modes_frame
from debugset.barlow.tree import read_rule
from tests.barlow.toys import CLASSES


@pytest.fixture
def tables(analysis, explanations):
    ids = np.array([f"i{place}" for place in range(len(analysis.labels))], object)
    modes = modes_frame(explanations)
    return modes, members_frame(analysis, modes, ids)


def test_mending_takes_the_failures_of_the_discovery_half_that_the_rule_holds_for(analysis, tables):
    modes, members = tables
    found = select_failures(["label-coat-1"], modes, members, CLASSES, ["coat", "bag"])
    low = (analysis.labels == 0) & analysis.failed & analysis.discovery
    low &= analysis.features[:, 2].astype(float) < read_rule(modes["rule"].iloc[0])[0][2]
    assert sorted(found["image_id"]) == sorted(f"i{place}" for place in np.flatnonzero(low))
    assert set(found["class_name"]) == {"coat"}
    twice = select_failures(["label-coat-1", "label-coat-1"], modes, members, CLASSES, ["coat"])
    assert twice["image_id"].is_unique


def test_the_name_of_a_mode_may_be_written_in_two_forms(tables):
    modes, members = (table.replace({"mode": {"label-coat-1": "label-caf\u00e9-1"}}) for table in tables)
    classes = ["caf\u00e9" if name == "coat" else name for name in CLASSES]
    assert set(select_failures(["label-cafe\u0301-1"], modes, members, classes, ["caf\u00e9"])["mode"]) == {
        "label-caf\u00e9-1"
    }


def test_mending_refuses_unknown_modes_and_classes_without_a_pool(tables):
    with pytest.raises(ValueError, match="label-hat-1: is no failure mode; `debugset barlow list` names them"):
        select_failures(["label-hat-1"], *tables, CLASSES, ["coat"])
    with pytest.raises(ValueError, match="none of its failures is of a debug class"):
        select_failures(["label-coat-1"], *tables, CLASSES, ["bag"])


def test_the_listing_names_every_mode_and_marks_the_mended(tables):
    modes, _ = tables
    lines = listing(modes, ["label-coat-1"]).splitlines()
    assert len(lines) == 1 + len(modes)
    assert lines[1].startswith("label-coat-1")
    assert "* " in lines[1]
    assert "feature[2] < " in lines[1]
    assert all("does not hold" in line for line, holds in zip(lines[1:], modes["holds"], strict=True) if not holds)

    assert listing(modes.head(0), []) == "no failure modes were found"
