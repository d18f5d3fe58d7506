"""Whole parameters: every section is known and there, and sections agree."""

import pytest
import yaml

from debugset.base.params import ParamsError, read
from debugset.cli import profiles, sections
from tests.cli.conftest import ROOT


@pytest.fixture
def edited(tmp_path):
    """Write the default profile after an edit of its sections; what is read then."""

    def write(edit):
        values = yaml.safe_load((ROOT / "profiles" / "fashion.yaml").read_text())
        edit(values)
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(values, sort_keys=False))
        return read(path)

    return write


def test_a_valid_file_gives_every_section(edited):
    assert set(sections.validate(edited(lambda values: None))) == set(sections.SECTIONS)


@pytest.mark.parametrize("name", sections.SECTIONS)
def test_a_missing_section_is_named(edited, name):
    with pytest.raises(ParamsError, match=f"section `{name}` is missing"):
        sections.validate(edited(lambda values: values.pop(name)))


def test_a_profile_without_numerics_is_refused(edited):
    with pytest.raises(ParamsError, match="`numerics` is missing; add"):
        sections.validate(edited(lambda values: values.pop("numerics")))


def test_an_unknown_section_is_named(edited):
    with pytest.raises(ParamsError, match="`pik` is not a section"):
        sections.validate(edited(lambda values: values.update(pik={})))
    with pytest.raises(ParamsError, match="`5` is not a section"):
        sections.validate(edited(lambda values: values.update({5: {}, "pik": {}})))


@pytest.mark.parametrize("source", [["fashion"], {}, 5, None])
def test_a_source_of_another_type_is_refused(edited, source):
    with pytest.raises(ParamsError, match=r"`prepare\.source`: expected one of fashion, imagenet \(got "):
        sections.validate(edited(lambda values: values["prepare"].update(source=source)))


@pytest.mark.parametrize(
    ("section", "key", "value", "said"),
    [
        ("errors", "classes", ["bag", "bog"], "`errors.classes`: bog is unknown"),
        ("scrape", "queries", {"bog": ["swamp"]}, "`scrape.queries`: bog is unknown"),
        ("scrape", "queries", {"bag": ["bag"]}, r"`scrape.queries.\w+` is missing"),
        ("retention", "embedders", ["dino"], "`retention.embedders`: dino is unknown"),
        ("retention", "set", "train", "`retention.set`: Input should be 'seed_source' or 'diagnosis'"),
        ("train", "random_states", [1, 0], "`train.random_states` holds `original.random_state`"),
        ("train", "random_states", [1, 1], r"`train\.random_states`: .*a value comes twice"),
    ],
)
def test_sections_that_contradict_each_other_are_refused(edited, section, key, value, said):
    with pytest.raises(ParamsError, match=said):
        sections.validate(edited(lambda values: values[section].update({key: value})))


def test_what_cannot_be_drawn_again_is_not_rendered():
    imagenet = profiles.read(ROOT / "profiles" / "imagenet.yaml")
    sections.validate(imagenet)
    imagenet["sparse"]["rendered"] = ["robust"]
    with pytest.raises(ParamsError, match=r"`sparse\.rendered`: imagenet can't be drawn again .*; say \[\]"):
        sections.validate(imagenet)
