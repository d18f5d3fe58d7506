"""Reading params.yaml: every mistake ends in one line that names the key."""

from datetime import date

import pytest
from dvc.utils.serialize._yaml import parse_yaml
from pydantic import Field

from debugset.base.params import ParamsError, Section, load, read


class Inner(Section):
    depth: int = Field(ge=1)


class Example(Section):
    rate: float = Field(gt=0, le=1)
    names: list[str]
    inner: Inner


GOOD = "example:\n  rate: 0.5\n  names: [a, b]\n  inner:\n    depth: 2\n"


def test_a_section_becomes_its_model(params):
    assert load("example", Example, params(GOOD)) == Example(rate=0.5, names=["a", "b"], inner=Inner(depth=2))


def test_other_sections_do_not_matter(params):
    assert load("example", Example, params(GOOD + "other: {any: thing}\n")).rate == 0.5


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("rate: 0.5", "rate: 0.5\n  raet: 1", "`example.raet` is not a parameter"),
        ("  rate: 0.5\n", "", "`example.rate` is missing"),
        ("rate: 0.5", "rate: 2", "`example.rate`: Input should be less than or equal to 1 (got 2)"),
        ("rate: 0.5", "rate: fast", "`example.rate`: .* (got 'fast')"),
        ("depth: 2", "depth: 0", "`example.inner.depth`: "),
        ("depth: 2", "deep: 2", "`example.inner.deep` is not a parameter"),
        ("depth: 2", "depth: true", "`example.inner.depth`: .* (got True)"),
        ("rate: 0.5", "rate: '0.5'", "`example.rate`: .* (got '0.5')"),
        ("rate: 0.5", "rate: .nan", "`example.rate`: "),
        ("[a, b]", "[a, [b]]", "`example.names.1`: "),
        ("example:", "exemple:", "section `example` is missing"),
    ],
)
def test_a_mistake_is_named_in_one_line(params, before, after, said):
    path = params(GOOD.replace(before, after))
    with pytest.raises(ParamsError) as error:
        load("example", Example, path)
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    assert all(part in message for part in said.split(".*"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1\n", "not valid YAML: line 2: did not find expected"),
        ("a: 1\na: 2\n", 'not valid YAML: line 2: found duplicate key "a"'),
        ("a: \x07\n", "not valid YAML: "),
        ("- 1\n- 2\n", "expected a mapping"),
        ("", "expected a mapping"),
    ],
)
def test_a_file_that_is_no_mapping_is_named(params, text, said):
    with pytest.raises(ParamsError, match=said) as error:
        read(params(text))
    assert "\n" not in str(error.value)


def test_values_are_read_as_dvc_reads_them(params):
    values = read(params("a: no\nb: 1e-3\nc: 010\nd: 2023-12-31\ne: '2023-12-31'\n"))
    assert values == {"a": "no", "b": 0.001, "c": 10, "d": date(2023, 12, 31), "e": "2023-12-31"}


SPELLINGS = "1e-05 1E5 1.e-05 .5 1. +.5 nan .nan .inf 1_000 1_0.5 017 0o17 0x1f 0b11 on off yes NO y ~ Null TRUE"
DATES = "2023-12-31 12:30 2001-12-14t21:59:43.10-05:00"


@pytest.mark.parametrize("spelling", [*SPELLINGS.split(), *DATES.split(), "'1e5'", "!!float 1", "!!str 1"])
def test_every_spelling_is_read_as_dvc_reads_it(params, spelling):
    text = f"a: {spelling}\nb:\n  - {spelling}\n"
    assert repr(read(params(text))) == repr(parse_yaml(text, "params.yaml"))


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(ParamsError, match="debugset use"):
        read(tmp_path / "params.yaml")


def test_values_do_not_change_after_loading(params):
    section = load("example", Example, params(GOOD))
    with pytest.raises(ValueError, match="frozen"):
        section.rate = 0.1


def test_a_file_that_is_no_text_is_told(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(b"a: \xff\n")
    with pytest.raises(ParamsError, match=r"params.yaml: not valid YAML: .*decode"):
        read(path)
