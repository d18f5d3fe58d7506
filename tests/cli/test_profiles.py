"""Profiles: small files over the default, and edits that leave every other line as it was."""

import shutil

import pytest
import yaml
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize._yaml import parse_yaml

from debugset.base.params import ParamsError, parse, read
from debugset.cli import profiles
from debugset.cli.sections import SECTIONS, validate
from tests.cli.conftest import ROOT

DEFAULT = ROOT / "profiles" / "fashion.yaml"
PROFILES = sorted((ROOT / "profiles").glob("*.yaml"))
SMALL = """\
# Mine: larger, on another world.

errors: # of my model
  classes: [bag, boot]

scrape:
  queries: # shorter
    bag: [bag]
    boot: [boot]
  result_cap: 200

attributed: # none of mine has attributes
  source: none
"""


@pytest.fixture
def write(tmp_path):
    """Write a text as a profile; its path."""

    def write(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def copy(tmp_path):
    """Copy a profile, so that a test may edit it."""

    def copy(name):
        return shutil.copy(ROOT / "profiles" / f"{name}.yaml", tmp_path / "params.yaml")

    return copy


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_the_committed_profiles_are_valid_and_say_only_what_differs(path):
    validate(profiles.read(path), path)
    own, default = read(path), read(DEFAULT)
    assert set(own) <= {"numerics", *SECTIONS}
    if path != DEFAULT:
        same = [
            (name, key) for name in SECTIONS for key in own.get(name, ()) if own[name][key] == default[name].get(key)
        ]
        # a comment may be reason enough to name a key
        assert same == ([("robust", "file_sha256")] if path.stem == "imagenet" else [])


def test_the_default_is_whole_and_is_written_as_it_is():
    assert profiles.render("fashion") == DEFAULT.read_text()


def test_a_small_profile_replaces_keys_and_a_section_of_another_source(write):
    path = write(SMALL)
    expected = read(DEFAULT)
    expected["errors"]["classes"] = ["bag", "boot"]
    expected["scrape"] |= {"queries": {"bag": ["bag"], "boot": ["boot"]}, "result_cap": 200}
    expected["attributed"] = {"source": "none"}
    assert profiles.read(path) == expected
    validate(profiles.read(path), path)


def test_what_is_written_keeps_the_default_s_layout_and_comments(write):
    written = profiles.render(write(SMALL))
    lines = written.splitlines()
    default = DEFAULT.read_text().splitlines()
    assert written.startswith("# Mine: larger, on another world.\n\nnumerics: portable # the same bytes")
    assert "errors: # of my model" in lines
    assert "  classes: [bag, boot]" in lines
    assert "  setting: single # multi: missed by the original and by all of `models` too" in lines
    assert "  queries: # shorter\n    bag: [bag]\n    boot: [boot]\n  result_cap: 200 # Flickr: 4000;" in written
    assert "attributed: # none of mine has attributes\n  source: none\n\nattributes:" in written
    assert len(set(lines) - set(default)) == 9  # the top, three headings and five keys
    assert profiles.render(write(SMALL)) == written
    assert profiles.render(write(written)) == written


def test_a_whole_file_is_written_as_it_is(write):
    text = yaml.safe_dump(profiles.read("smoke"))
    assert profiles.render(write(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pick:\n  per_sed: 4\n", "mine.yaml: `pick.per_sed` is not a parameter"),
        ("pik:\n  per_seed: 4\n", "mine.yaml: `pik` is not a section"),
        ("pick: 4\n", "mine.yaml: `pick`: "),
        ("pick: [4\n", "mine.yaml: not valid YAML: line 2: "),
        ("pick:\n  per_seed: 4\t# a tab\n", "mine.yaml: not valid YAML: line 2: "),
        ("attributed:\n  source: sun\n  train: 10\n", r"mine.yaml: `attributed\.\w+` is"),
    ],
)
def test_a_wrong_profile_is_refused_by_its_own_name(write, text, said):
    path = write(text)
    with pytest.raises(ParamsError, match=said):
        validate(profiles.read(path), path)


@pytest.mark.parametrize("name", [path.stem for path in PROFILES])
def test_debug_classes_change_one_list_and_no_other_line(copy, name):
    path = copy(name)
    before = path.read_text()
    classes = read(path)["errors"]["classes"]
    profiles.set_debug_classes(path, classes)
    assert path.read_text() == before
    profiles.set_values(path, {"errors.classes": classes[:2]})
    old, new = (f"  classes: [{', '.join(some)}]" for some in (classes, classes[:2]))
    assert path.read_text() == before.replace(old, new)


def test_debug_classes_of_imagenet_bring_their_queries(copy):
    path = copy("imagenet")
    before = path.read_text()
    cranes = ["crane (n02012849)", "crane (n03126707)"]  # no word of their own: hand-made queries survive
    by_hand = f"    {cranes[0]}: [crane bird]\n    {cranes[1]}: [tower crane]\n    junco: "
    path.write_text(before.replace("    junco: ", by_hand))
    profiles.set_debug_classes(path, ["junco", *cranes])
    sections = read(path)
    assert sections["errors"]["classes"] == ["junco", *cranes]
    expected = {"junco": ["junco", "snowbird"], cranes[0]: ["crane bird"], cranes[1]: ["tower crane"]}
    assert sections["scrape"]["queries"] == expected
    rest = before[before.index("  result_cap") :]
    assert path.read_text().endswith(rest)


def test_queries_of_imagenet_are_checked_before_anything_is_written(copy):
    path = copy("imagenet")
    cranes = ["crane (n02012849)", "crane (n03126707)"]
    path.write_text(path.read_text().replace("    junco: ", f"    {cranes[0]}: [snowbird]\n    junco: "))
    before = path.read_text()
    with pytest.raises(ParamsError, match=r"scrape\.queries`: .*'snowbird' is asked for"):
        profiles.set_debug_classes(path, ["junco", *cranes])
    assert path.read_text() == before


def test_debug_classes_of_the_fashion_world_leave_queries_alone(copy):
    path = copy("fashion")
    profiles.set_debug_classes(path, ["bag"])
    sections = read(path)
    assert sections["errors"]["classes"] == ["bag"]
    assert len(sections["scrape"]["queries"]) == 10


def test_values_are_checked_before_they_are_written(copy):
    path = copy("fashion")
    before = path.read_text()
    with pytest.raises(ParamsError, match=r"params.yaml: `scrape\.queries`"):
        profiles.set_values(path, {"train.random_states": [5], "scrape.queries": {"bag": ["-purse"]}})
    assert path.read_text() == before


def test_a_file_of_other_sections_is_left_as_it_is(write):
    text = "schema: '2.0'\nstages:\n    prepare:\n        cmd: run\n"
    path = write(text)
    with pytest.raises(ParamsError, match=r"mine\.yaml: `schema` is not a section"):
        profiles.set_values(path, {"train.random_states": [1]})
    assert path.read_text() == text


def test_a_small_profile_gets_a_section_that_it_left_out(write):
    path = write(SMALL)
    profiles.set_values(path, {"train.random_states": [1, 2]})
    assert path.read_text() == f"{SMALL}\ntrain:\n  random_states: [1, 2]\n"
    path = write("train: 3\n")
    with pytest.raises(ParamsError, match=r"mine.yaml: `train`: expected a section \(got 3\)"):
        profiles.set_values(path, {"train.random_states": [1, 2]})


@pytest.mark.parametrize("old", ["    bag: [a, b]", "    bag:\n      - a\n      - b", "    bag:\n    - a\n    - b"])
def test_queries_of_any_style_are_replaced_and_nothing_else(write, old):
    text = "scrape:\n  queries:\n{}\n    # a comment\n  result_cap: 150 # another\npick: {{}}\n"
    path = write(text.format(old))
    profiles.set_values(path, {"scrape.queries": {"bag": ["handbag -purse"], "coat": ["coat"]}})
    assert path.read_text() == text.format("    bag: [handbag -purse]\n    coat: [coat]")
    assert parse(path.read_text(), path)["scrape"]["queries"] == {"bag": ["handbag -purse"], "coat": ["coat"]}


@pytest.mark.parametrize("link", ["beside.yaml", "elsewhere/mine.yaml", "chain.yaml"])
def test_a_link_is_written_through(tmp_path, copy, link):
    path = copy("fashion")
    target = tmp_path / link
    target.parent.mkdir(exist_ok=True)
    shutil.move(path, target)
    if link == "chain.yaml":
        (tmp_path / "between.yaml").symlink_to(target)
        target = tmp_path / "between.yaml"
    path.symlink_to(target)
    profiles.set_values(path, {"train.random_states": [1, 2]})
    assert path.is_symlink()
    assert "  random_states: [1, 2]" in target.read_text()


@pytest.mark.parametrize("ends", [b"\r\n", b"\n"])
def test_a_file_keeps_its_line_ends(copy, ends):
    path = copy("fashion")
    before = path.read_bytes().replace(b"\n", ends)
    path.write_bytes(before)
    profiles.set_values(path, {"train.random_states": [1, 2]})
    assert path.read_bytes() == before.replace(b"  random_states: [1] #", b"  random_states: [1, 2] #")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("errors: # mine\n  # why\n\n  # more\n  classes: [bag]\n",) * 2,
        ("errors:\n  # why\n  classes: [bag]\n", "errors: # whose failures are debugged\n  # why\n  classes: [bag]\n"),
        (
            "scrape:\n  queries:\n    # why\n    bag: [bag]\n",
            "\n  queries:\n    # why\n    bag: [bag]\n  result_cap: 150 #",
        ),
        (
            "scrape:\n  queries: # mine\n    # why\n    bag:\n      # one\n      - bag\n",
            "    bag:\n      # one\n      - bag\n",
        ),
        ("attributed:\n  # why\n  source: none\n", "attributes, whose relations are known\n  # why\n  source: none\n"),
    ],
)
def test_comments_between_a_heading_and_its_first_key_stay(write, text, written):
    found = profiles.render(write(text))
    assert written in found
    assert found.count("# why") == 1
    assert profiles.render(write(found)) == found


def test_a_default_keeps_such_comments_where_a_profile_has_none(write, monkeypatch, tmp_path):
    default = tmp_path / "default.yaml"
    default.write_text(DEFAULT.read_text().replace("errors: # whose", "errors: # whose\n  # why\n  # else"))
    monkeypatch.setattr(profiles, "DEFAULT", default)
    assert "\nerrors: # whose\n  # why\n  # else failures are debugged\n  classes: [bag]\n" in profiles.render(
        write("errors:\n  classes: [bag]\n")
    )


@pytest.mark.parametrize(
    "queries",
    [
        ["12:30", "a:b"],
        ["? x", "?x", "what?"],
        ["1e5", "08", "0o17", ".5", "1_000"],
        ["no", "on", "null", "2014-01-01", "~"],
    ],
)
def test_queries_that_look_like_something_else_stay_text(copy, queries):
    path = copy("fashion")
    words = read(path)["scrape"]["queries"] | {"bag": queries}
    profiles.set_values(path, {"scrape.queries": words})
    assert read(path)["scrape"]["queries"] == words
    assert parse_yaml(path.read_text(), path)["scrape"]["queries"] == words


@pytest.mark.parametrize("character", ["a\x85b", "é\x85ü", "1\x852"])
def test_what_yaml_cannot_hold_is_refused(copy, character):
    path = copy("fashion")
    before = path.read_bytes()
    words = read(path)["scrape"]["queries"] | {"bag": [f"bag {character}"]}
    with pytest.raises(ParamsError, match=r"params\.yaml: `scrape\.queries`: .* cannot be written as YAML"):
        profiles.set_values(path, {"scrape.queries": words})
    assert path.read_bytes() == before


OVERRIDES = {
    "recipe.weight_decay=0.00001": 1e-05,
    "recipe.weight_decay=1e-7": 1e-07,
    "recipe.peak_lr=.5": 0.5,
    "recipe.peak_lr=1.": 1.0,
    "recipe.steps=1_000": 1000,
    "relations.floor=2.5e-12": 2.5e-12,
    "robust.architecture=no": "no",
    "robust.architecture='1e5'": "1e5",
    "robust.architecture=017": "017",
    "robust.architecture=0o17": "0o17",
    "scrape.since='2015-01-01'": "2015-01-01",
    "scrape.per_query=null": None,
    "train.random_states=[1,2]": [1, 2],
}


@pytest.mark.parametrize("override", OVERRIDES)
def test_what_dvc_exp_run_sets_is_read_as_dvc_reads_it_and_so_is_what_use_makes_of_it(copy, override):
    path = copy("fashion")
    apply_overrides(path, [override])
    name, parameter = override.partition("=")[0].split(".")
    wished = OVERRIDES[override]
    assert parse_yaml(path.read_text(), path)[name][parameter] == wished
    sections = profiles.read(path)
    assert repr(sections[name][parameter]) == repr(wished)
    if "architecture" not in override:
        validate(sections, path)
    profiles.set_values(path, {"barlow.cards": 7})
    for parsed in (read(path), parse_yaml(path.read_text(), path)):
        assert repr(parsed[name][parameter]) == repr(wished)
