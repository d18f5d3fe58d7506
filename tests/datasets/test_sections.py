"""Sections ``prepare`` and ``attributed``: the source decides the model, and where the images come from."""

from pathlib import Path

import pytest

from debugset.base.params import ParamsError
from debugset.datasets import sections as module
from debugset.datasets.celeba import CelebAParams
from debugset.datasets.outfits import OutfitsParams
from debugset.datasets.sections import MODELS, NoAttributes, attribute_sets, check_section
from debugset.datasets.sun import SunParams
from tests.datasets.tiny import fake_garments

OUTFITS = {
    "source": "outfits",
    "random_state": 0,
    "train": 4,
    "test": 3,
    "empty_shared": 0.3,
    "empty_own": 0.6,
    "noise": 0.1,
}
SUN = {"source": "sun", "attributes": 2, "test": 0.3, "random_state": 0, "side": 20}


@pytest.mark.parametrize(("section", "model"), [(OUTFITS, OutfitsParams), (SUN, SunParams), ({"source": "none"}, None)])
def test_the_source_decides_the_model(section, model):
    found = check_section({"attributed": section}, "attributed")
    assert isinstance(found, model or NoAttributes)
    assert found.model_dump() == section


def test_every_source_has_a_model_of_its_own():
    assert set(MODELS["prepare"]) == {"fashion", "imagenet"}
    assert set(MODELS["attributed"]) == {"outfits", "celeba", "sun", "none"}
    assert MODELS["attributed"]["celeba"] is CelebAParams
    for models in MODELS.values():
        for name, model in models.items():
            assert model.model_fields["source"].annotation.__args__ == (name,)


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        (
            {"attributed": {"source": "lfw"}},
            r"p.yaml: `attributed.source`: expected one of outfits, celeba, sun, none",
        ),
        ({"attributed": {}}, r"p.yaml: `attributed.source`: expected one of .* \(got None\)"),
        ({}, "p.yaml: section `attributed` is missing"),
        ({"attributed": [1]}, "p.yaml: `attributed`: .* dictionary"),
        ({"attributed": OUTFITS | {"noise": 2.0}}, "p.yaml: `attributed.noise`"),
        ({"attributed": {"source": "none", "random_state": 0}}, "p.yaml: `attributed.random_state`"),
        ({"attributed": {name: OUTFITS[name] for name in OUTFITS if name != "train"}}, "p.yaml: `attributed.train`"),
    ],
)
def test_a_wrong_section_is_named_with_its_file_and_key(sections, line):
    with pytest.raises(ParamsError, match=line) as caught:
        check_section(sections, "attributed", Path("p.yaml"))
    assert "\n" not in str(caught.value)


def test_no_attributes_are_two_empty_sets():
    assert attribute_sets(NoAttributes(source="none")) == {"train": ((), 0), "test": ((), 0)}


def test_outfits_are_drawn_from_fashion_mnist(monkeypatch):
    monkeypatch.setattr(module, "read_garments", lambda: fake_garments(1_100))
    found = attribute_sets(check_section({"attributed": OUTFITS | {"train": 1}}, "attributed"))
    assert {name: dropped for name, (_, dropped) in found.items()} == {"train": 0, "test": 0}
    drawn = list(found["test"][0])
    assert [record["id"] for record, _ in drawn] == ["test-00000", "test-00001", "test-00002"]


@pytest.mark.parametrize("source", ["celeba", "sun"])
def test_a_collection_is_looked_for_where_the_environment_says(monkeypatch, source):
    of_source = getattr(module, source)
    monkeypatch.setenv(of_source.ROOT_VARIABLE, "there")
    monkeypatch.setattr(of_source, "read_records", lambda name, params, root: ([({"set": name, "root": root}, b"")], 5))
    found = attribute_sets(MODELS["attributed"][source].model_construct(source=source))
    assert found == {name: ([({"set": name, "root": Path("there")}, b"")], 5) for name in ("train", "test")}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("celeba", "CELEBA_ROOT: not set; set it to the folder that holds CelebA"),
        ("sun", "SUN_ATTRIBUTE_ROOT: not set; set it to the folder that holds the SUN"),
    ],
)
def test_a_collection_whose_folder_is_not_named_is_an_error(monkeypatch, source, message):
    monkeypatch.delenv(getattr(module, source).ROOT_VARIABLE, raising=False)
    with pytest.raises(ValueError, match=message):
        attribute_sets(MODELS["attributed"][source].model_construct(source=source))
