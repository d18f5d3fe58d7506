"""Whole parameter files: every section is known and there, sections agree, comments survive an edit."""

import shutil
from pathlib import Path

import pytest
import yaml

from debugset.base.params import ParamsError
from debugset.cli import profiles

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted((ROOT / "profiles").glob("*.yaml"))


@pytest.fixture
def edited(tmp_path):
    """Write the default profile after an edit of its sections; return the file."""

    def write(edit):
        sections = yaml.safe_load((ROOT / "profiles" / "fashion.yaml").read_text())
        edit(sections)
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(sections, sort_keys=False))
        return path

    return write


def test_a_valid_file_gives_every_section(edited):
    assert set(profiles.validate(edited(lambda sections: None))) == set(profiles.SECTIONS)


@pytest.mark.parametrize("name", profiles.SECTIONS)
def test_a_missing_section_is_named(edited, name):
    with pytest.raises(ParamsError, match=f"section `{name}` is missing"):
        profiles.validate(edited(lambda sections: sections.pop(name)))


def test_a_profile_without_numerics_is_refused(edited):
    with pytest.raises(ParamsError, match="`numerics` is missing; add"):
        profiles.validate(edited(lambda sections: sections.pop("numerics")))


def test_an_unknown_section_is_named(edited):
    with pytest.raises(ParamsError, match="`pik` is not a section"):
        profiles.validate(edited(lambda sections: sections.update(pik={})))


@pytest.mark.parametrize(
    ("section", "key", "value", "said"),
    [
        ("errors", "classes", ["bag", "bog"], "`errors.classes`: bog is unknown"),
        ("scrape", "queries", {"bog": ["swamp"]}, "`scrape.queries`: bog is unknown"),
        ("scrape", "queries", {"bag": ["bag"]}, r"`scrape.queries.\w+` is missing"),
        ("retention", "embedders", ["dino"], "`retention.embedders`: dino is unknown"),
        ("retention", "set", "train", "`retention.set`: Input should be 'seed_source' or 'diagnosis'"),
        ("train", "random_states", [1, 0], "`train.random_states` holds `original.random_state`"),
    ],
)
def test_sections_that_contradict_each_other_are_refused(edited, section, key, value, said):
    with pytest.raises(ParamsError, match=said):
        profiles.validate(edited(lambda sections: sections[section].update({key: value})))


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_an_edit_changes_one_list_and_no_other_byte(path, tmp_path):
    copy = tmp_path / "copy.yaml"
    shutil.copy(path, copy)
    classes = yaml.safe_load(path.read_text())["errors"]["classes"]
    profiles.set_list(copy, "errors", "classes", classes)
    assert copy.read_text() == path.read_text()
    profiles.set_list(copy, "errors", "classes", classes[:2])
    after = yaml.safe_load(copy.read_text())
    assert after["errors"]["classes"] == classes[:2]
    after["errors"]["classes"] = classes
    assert after == yaml.safe_load(path.read_text())


BLOCK = """\
errors:
  # which are mended
  classes: # by the paper's rule
    - bag # always
    - boot

  setting: single # or multi
"""
FLOW = """\
errors:
  classes: [bag, boot] # by the paper's rule
  setting: single
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BLOCK, BLOCK.replace("    - bag # always\n    - boot\n", "    - coat\n    - dress\n    - shirt\n")),
        (FLOW, FLOW.replace("[bag, boot]", "[coat, dress, shirt]")),
    ],
)
def test_an_edit_keeps_layout_and_comments(tmp_path, before, after):
    path = tmp_path / "params.yaml"
    path.write_text(before)
    profiles.set_list(path, "errors", "classes", ["coat", "dress", "shirt"])
    assert path.read_text() == after


def test_debug_classes_of_imagenet_bring_their_queries(tmp_path):
    path = tmp_path / "params.yaml"
    shutil.copyfile(ROOT / "profiles" / "imagenet.yaml", path)
    before = path.read_text()
    cranes = ["crane (n02012849)", "crane (n03126707)"]  # no word of their own: hand-made queries survive
    by_hand = f"    {cranes[0]}: [crane bird]\n    {cranes[1]}: [tower crane]\n    junco: "
    path.write_text(before.replace("    junco: ", by_hand))
    profiles.set_debug_classes(path, ["junco", *cranes])
    sections = yaml.safe_load(path.read_text())
    assert sections["errors"]["classes"] == ["junco", *cranes]
    expected = {"junco": ["junco", "snowbird"], cranes[0]: ["crane bird"], cranes[1]: ["tower crane"]}
    assert sections["scrape"]["queries"] == expected
    rest = before[before.index("  result_cap") :]
    assert path.read_text().endswith(rest)


def test_debug_classes_of_the_fashion_world_leave_queries_alone(tmp_path):
    path = tmp_path / "params.yaml"
    shutil.copyfile(ROOT / "profiles" / "fashion.yaml", path)
    profiles.set_debug_classes(path, ["bag"])
    sections = yaml.safe_load(path.read_text())
    assert sections["errors"]["classes"] == ["bag"]
    assert len(sections["scrape"]["queries"]) == 10


def test_queries_are_checked_before_they_are_written(edited):
    path = edited(lambda sections: None)
    before = path.read_text()
    with pytest.raises(ParamsError, match=r"scrape\.queries"):
        profiles.set_queries(path, {"bag": ["-purse"]})
    assert path.read_text() == before


@pytest.mark.parametrize("old", ["    bag: [a, b]", "    bag:\n      - a\n      - b", "    bag:\n    - a\n    - b"])
def test_a_block_of_any_style_is_replaced_and_nothing_else(params, old):
    text = "scrape:\n  queries:\n{}\n    # a comment\n  result_cap: 150 # another\nrecipe: {{}}\n"
    path = params(text.format(old))
    profiles.set_block(path, "scrape", "queries", {"bag": ["handbag -purse"], "coat": ["coat"]})
    assert path.read_text() == text.format("    bag: [handbag -purse]\n    coat: [coat]")
