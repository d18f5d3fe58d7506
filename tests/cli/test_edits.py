"""Edits of YAML files: what is put in is there, and every other line stays as it was, to the byte."""

import pytest

from debugset.base.params import PARAMS_FILE, parse
from debugset.cli import edits
from tests.cli.conftest import ROOT

PROFILES = sorted((ROOT / "profiles").glob("*.yaml"))
TEXT = """\
# at the top

numerics: portable # behind a value

errors: # behind a section
  # before a key
  classes: # behind a list's key
    - bag # behind an item
    - boot

  # between two keys
  setting: single # or multi
  models: [robust]

scrape:
  since: "2014-01-01"
  per_query: null
  queries: # two words
    bag: [bag, handbag]
    "no": [no]  # of YAML 1.1
  rate: 0.30
  # at the end of a section

recipe: {steps: 10, batch: 2}

train:
  seeds: [1] # the last
"""
LIST = "    - bag # behind an item\n    - boot\n"
NEW_QUERIES = "    bag: [a -b, '\"c d\"']\n    coat: []\n"
QUERIES = '    bag: [bag, handbag]\n    "no": [no]  # of YAML 1.1\n'


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_profile_that_is_left_alone_stays_as_it_is(path):
    text = path.read_text()
    assert edits.to_text(edits.parse(text)) == text


@pytest.mark.parametrize(
    ("section", "key", "value", "before", "after"),
    [
        ("errors", "classes", ["coat", "boot", "no"], LIST, "    - coat\n    - boot\n    - no\n"),
        ("errors", "setting", "multi", "setting: single # or multi", "setting: multi # or multi"),
        ("errors", "models", ["a b", "- c"], "[robust]", "[a b, '- c']"),
        ("scrape", "since", "2015-01-01", '"2014-01-01"', '"2015-01-01"'),
        ("scrape", "per_query", 30, "null", "30"),
        ("scrape", "queries", {"bag": ["a -b", '"c d"'], "coat": []}, QUERIES, NEW_QUERIES),
        ("scrape", "rate", 0.5, "0.30", "0.5"),
        ("train", "seeds", [2, 3], "[1] # the last", "[2, 3] # the last"),
        ("train", "more", None, "[1] # the last\n", "[1] # the last\n  more: null\n"),
    ],
)
def test_a_value_is_replaced_and_nothing_else(section, key, value, before, after):
    document = edits.parse(TEXT)
    edits.put(document[section], key, value)
    assert edits.to_text(document) == TEXT.replace(before, after)
    values = parse(TEXT, PARAMS_FILE)
    values[section][key] = value
    assert parse(TEXT.replace(before, after), PARAMS_FILE) == values


def test_a_new_comment_takes_the_place_of_the_old_one():
    document = edits.parse(TEXT)
    edits.put(document["errors"], "setting", "multi", "# all models")
    edits.put(document["errors"], "classes", ["bag"], "# one")
    edits.put(document["errors"], "models", ["robust"], "# none before")
    written = edits.to_text(document)
    assert "\n  setting: multi # all models\n  models: [robust] # none before\n\nscrape:\n" in written
    assert "\n  classes: # one\n    - bag\n\n  # between two keys\n" in written


def test_a_list_that_lives_on_elsewhere_does_not_take_the_comment_below_along():
    document = edits.parse("a: &list\n  - x\n  # below\nb: 1\nc: *list\n")
    edits.put(document, "a", ["y"])
    assert edits.to_text(document).count("# below") == 1
    assert parse(edits.to_text(document), PARAMS_FILE) == {"a": ["y"], "b": 1, "c": ["x"]}


def test_a_text_s_directives_do_not_go_over_to_the_next():
    edits.parse("%YAML 1.1\n---\na: no\n")
    assert edits.to_text(edits.parse("b: no\n")) == "b: no\n"
    assert edits.parse("b: no\n")["b"] == "no"


def test_a_block_and_a_line_take_each_other_s_place():
    document, other = edits.parse(TEXT), edits.parse("a: [x, y] # in a line\nb: # in a block\n  - x # first\n\nc: 1\n")
    edits.put(document["errors"], "classes", other["a"], edits.end_comment(other, "a"))
    edits.put(document["errors"], "models", other["b"], edits.end_comment(other, "b"))
    expected = TEXT.replace("classes: # behind a list's key\n" + LIST, "classes: [x, y] # in a line\n")
    expected = expected.replace("models: [robust]\n", "models: # in a block\n    - x # first\n")
    assert edits.to_text(document) == expected


def test_a_section_that_is_missing_comes_last_after_an_empty_line():
    document = edits.parse(TEXT)
    assert edits.section(document, "scrape") is document["scrape"]
    edits.put(edits.section(document, "pick"), "per_seed", 6)
    assert edits.to_text(document).endswith("  seeds: [1] # the last\n\npick:\n  per_seed: 6\n")
