"""What changed between two manifests, against a plain comparison of dicts."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.versions.data_diff import by_class, changed_images, counts_table
from debugset.versions.data_picture import spread

OLD, NEW = ("cat", "dog", "eel"), ("dog", "cat", "fox", "eel")
images = st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.integers(0, 2), st.sampled_from("xy")))


def manifest(content):
    """A manifest of {id: (label, sha256)}."""
    rows = [(id, label, sha256) for id, (label, sha256) in content.items()]
    return pd.DataFrame(rows, columns=["id", "label", "sha256"]).astype({"id": object, "label": np.int64})


def plain(old, new):
    """{id: (change, old class, new class)} by the definition."""
    changes = {}
    for id in {*old, *new}:
        before = OLD[old[id][0]] if id in old else ""
        after = NEW[new[id][0]] if id in new else ""
        if id not in old:
            changes[id] = ("added", before, after)
        elif id not in new:
            changes[id] = ("removed", before, after)
        elif before != after:
            changes[id] = ("relabelled", before, after)
        elif old[id][1] != new[id][1]:
            changes[id] = ("replaced", before, after)
    return changes


@settings(deadline=None)
@given(images, images)
def test_changes_equal_a_plain_comparison(old, new):
    changed = changed_images(manifest(old), manifest(new), OLD, NEW)
    assert list(changed.columns) == ["change", "id", "old_class", "new_class"]
    assert {row.id: (row.change, row.old_class, row.new_class) for row in changed.itertuples()} == plain(old, new)
    assert len(changed) == len(plain(old, new))


@settings(deadline=None)
@given(images, images)
def test_counts_add_up_for_every_class(old, new):
    changed = changed_images(manifest(old), manifest(new), OLD, NEW)
    table = by_class(changed, manifest(old), manifest(new), OLD, NEW).set_index("class")
    assert list(table.index) == ["cat", "dog", "eel", "fox"]
    sums = table["old"] + table["added"] - table["removed"] - table["relabelled_from"] + table["relabelled_to"]
    assert sums.tolist() == table["new"].tolist()
    assert table["old"].sum() == len(old)
    assert table["new"].sum() == len(new)
    of = plain(old, new).values()
    for change, place, column in (
        ("added", 2, "added"),
        ("removed", 1, "removed"),
        ("relabelled", 1, "relabelled_from"),
    ):
        for name in table.index:
            assert table.loc[name, column] == sum(one[0] == change and one[place] == name for one in of)


def test_the_order_is_by_change_class_and_id():
    old, new = {"r": (0, "x"), "k": (1, "x")}, {"b": (1, "x"), "a": (1, "x"), "z": (0, "x"), "k": (0, "y")}
    changed = changed_images(manifest(old), manifest(new), OLD, NEW)
    assert changed[["change", "id"]].to_numpy().tolist() == [
        ["added", "a"],
        ["added", "b"],
        ["added", "z"],
        ["removed", "r"],
        ["replaced", "k"],
    ]


def test_bad_manifests_are_named():
    twice = pd.concat([manifest({"a": (0, "x")})] * 2)
    with pytest.raises(ValueError, match="new manifest: image a comes twice"):
        changed_images(manifest({}), twice, OLD, NEW)
    with pytest.raises(ValueError, match="old manifest: label 3 is no index into its 3 classes"):
        changed_images(manifest({"a": (3, "x")}), manifest({}), OLD, NEW)


def test_shown_images_come_from_every_class_before_a_second_of_any():
    new = {f"{place}": (place // 5, "x") for place in range(15)}
    changed = changed_images(manifest({}), manifest(new), OLD, NEW)
    assert spread(changed, 4)["new_class"].tolist() == ["cat", "dog", "fox", "cat"]
    assert len(spread(changed, 99)) == 15


def test_the_text_shows_changed_classes_and_the_sum():
    old, new = manifest({"a": (0, "x"), "b": (1, "x")}), manifest({"b": (0, "x"), "c": (1, "x")})
    lines = counts_table(by_class(changed_images(old, new, OLD, NEW), old, new, OLD, NEW)).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["cat", "all"]
    assert lines[1].split() == ["cat", "1", "1", "1", "0", "0", "0", "1"]
    assert lines[2].split() == ["all", "4", "classes", "2", "1", "1", "0", "0", "0", "2"]
    heading = ["class", "old", "added", "removed", "relabelled from", "relabelled to", "replaced", "new"]
    assert re.split(" {2,}", lines[0].strip()) == heading
    assert len({len(line) for line in lines}) == 1
