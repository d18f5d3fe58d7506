"""What leaves the stages of relations with nothing ends them in one line, unless params ask for nothing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from debugset.base.paths import ATTRIBUTED
from stages import attributed, attributes, relations
from tests.relations.worlds import attributed_set, attributes_params, relations_params

NONE = {"source": "none"}
CELEBA = {"source": "celeba", "train": None, "test": None, "random_state": 0, "side": 16, "margin": 0.0}
OUTFITS = {"source": "outfits", "train": 6, "test": 4, "random_state": 0, "noise": 0.1,
           "empty_shared": 0.3, "empty_own": 0.6}  # fmt: skip


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("ground_truth").mkdir()
    monkeypatch.setattr(attributed, "progress", lambda records, *_, **__: records)


def write_params(section=NONE, networks=None, study=None):
    networks, study = attributes_params(**networks or {}), relations_params(**study or {})
    sections = {"attributed": section, "attributes": networks.model_dump(), "relations": study.model_dump()}
    Path("params.yaml").write_text(yaml.safe_dump(sections))


def write_images(**shown):
    """Training and test images with attributes."""
    table = pd.DataFrame(shown)
    pixels = np.zeros((len(table), 16, 16, 3), np.uint8)
    attributed_set(ATTRIBUTED / "train", pixels, table)
    attributed_set(ATTRIBUTED / "test", pixels, table)


def refused(stage):
    with pytest.raises(ValueError) as error:
        stage.main()
    return str(error.value)


@pytest.mark.parametrize(
    ("section", "dropped", "line"),
    [
        (CELEBA, 3, "no image is left of source celeba, 3 dropped since their boxes hold nothing of them"),
        (CELEBA, 0, "no image is left of source celeba, 0 dropped since their boxes hold nothing of them"),
        (OUTFITS, 1, "no image is left of source outfits, 1 dropped since their boxes hold nothing of them"),
    ],
)
def test_a_source_without_training_images_is_refused(monkeypatch, section, dropped, line):
    write_params(section)
    monkeypatch.setattr(attributed, "attribute_sets", lambda params: {"train": ((), dropped), "test": ((), 0)})
    mend = "mend the collection, or say `attributed.source: none`"
    assert refused(attributed) == f"data/attributed/train: {line}; {mend}"
    assert not ATTRIBUTED.exists()


def test_no_attributes_are_no_error_and_every_stage_says_so(capsys):
    write_params()
    for stage in (attributed, attributes, relations):
        stage.main()
    assert capsys.readouterr().out.splitlines() == [
        "attributed: no images, for `attributed.source` is none",
        "attributes: 0 networks of 0 attributes",
        "relations: no images with attributes, so nothing is diagnosed",
    ]


@pytest.mark.parametrize(
    "shown", [{"bag": [1, -1]}, {"hat": [1, 1, 1]}, {"attribute:x": [-1, 1, 1, 1]}], ids=["two", "always", "odd name"]
)
def test_one_attribute_has_nothing_to_relate_to(shown):
    write_params(networks={"images": None})
    write_images(**shown)
    assert refused(attributes) == (
        f"data/attributed/train: has one attribute, `{next(iter(shown))}`, but a relation needs two; add a column "
        "`attribute:NAME`"
    )


@pytest.mark.parametrize(
    ("shown", "tau", "images"),
    [
        ({"a": [1, -1], "b": [-1, 1]}, 1.0, None),
        ({"a": [1, -1, 1], "b": [-1, 1, -1], "c": [1, 1, 1]}, 1.0, None),
        ({"a": [1], "b": [-1]}, 0.6, None),
    ],
)
def test_a_bias_that_leaves_no_image_is_named(shown, tau, images):
    write_params(networks={"pairs": [["a", "b"]], "taus": [tau], "images": images})
    write_images(**shown)
    assert refused(attributes) == (
        f"attributes.taus: a bias of {tau:g} of a and b leaves none of the {len(shown['a'])} images; lower it, or make "
        "more images"
    )
    assert not Path("models/attributes").exists()


PAIR = "attribute_a,attribute_b,relation\na,b,unrelated\n"


@pytest.mark.parametrize(
    ("shown", "study"),
    [
        ({"a": [-1] * 4, "b": [-1] * 4, "c": [1] * 4}, {}),
        ({"a": [-1] * 4, "b": [-1] * 4, "c": [-1] * 4}, {"images": 2}),
        ({"a": [-1] * 40 + [1], "b": [-1] * 41, "c": [1] * 41}, {"images": 1}),
    ],
    ids=["never shown", "nothing shown", "not among the images looked at"],
)
def test_pairs_that_no_image_shows_are_refused_before_mining(monkeypatch, shown, study):
    count = len(shown["a"])
    write_params(networks={"images": count, "steps": 1}, study=study)
    write_images(**shown)
    Path("ground_truth/outfits.csv").write_text(PAIR)
    attributes.main()
    monkeypatch.setattr("debugset.relations.study.mine_masks", lambda *_: pytest.fail("mined"))
    assert refused(relations) == (
        f"relations.images: none of the {min(count, study.get('images', 40))} images looked at shows an attribute of a "
        "labelled pair; raise it, or label other pairs in ground_truth/outfits.csv"
    )
    assert not Path("data/relations").exists()


@pytest.mark.parametrize(
    "text",
    ["attribute_a,attribute_b,relation\n", "attribute_a,attribute_b,relation\na,b,\n", PAIR.replace("unrelated", " ")],
    ids=["no row", "no label", "blank label"],
)
def test_a_ground_truth_without_a_label_is_refused(text):
    write_params(networks={"images": 2, "steps": 1})
    write_images(a=[1, -1], b=[-1, 1])
    Path("ground_truth/outfits.csv").write_text(text)
    assert refused(relations) == (
        "ground_truth/outfits.csv: no pair has a label; write one into column `relation`, for example `unrelated`"
    )


def test_without_test_images_no_accuracy_is_measured_and_that_is_told(capsys):
    write_params(networks={"images": 8, "steps": 1}, study={"images": 8, "maps": 0})
    write_images(a=[1, -1] * 4, b=[-1, 1, 1, -1] * 2)
    attributed_set(ATTRIBUTED / "test", [], pd.DataFrame({"a": [], "b": []}))
    Path("ground_truth/outfits.csv").write_text(PAIR)
    attributes.main()
    relations.main()
    assert "relations: no test images, so no accuracy is measured" in capsys.readouterr().out.splitlines()
    found = pd.read_parquet("data/relations/attributes.parquet")
    assert found["accuracy"].isna().all()
