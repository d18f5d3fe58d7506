import filecmp
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from debugset.report.inputs import Inputs
from debugset.report.write import _write_cards, write_report
from tests.report.world import DEBUG_NAMES, write_world

WRITTEN = (
    "metrics/accuracy.json",
    "metrics/layers.json",
    "metrics/leaks.json",
    "metrics/modes.json",
    "metrics/pool.json",
    "metrics/relations.json",
    "metrics/retention.json",
    "metrics/rules.json",
    "metrics/sparse.json",
    "metrics/summary.json",
    "plots/accuracy.csv",
    "plots/accuracy.png",
    "plots/classes.csv",
    "plots/gains.csv",
    "plots/modes.csv",
    "plots/relations.csv",
    "plots/relations.png",
    "plots/retention.csv",
    "plots/seeds_and_picks.png",
    "plots/sparse.csv",
    "plots/sparse.png",
    "report/cards",
    "report/cards/error-diagnosis-0-000.png",
    "report/cards/error-diagnosis-1-002.png",
    "report/cards/error-diagnosis-3-001.png",
    "report/cards/label-dress-1.png",
    "report/cards/prediction-bag-1.png",
    "report/index.html",
)


def written(root):
    folders = ("metrics", "plots", "report")
    return sorted(str(path.relative_to(root)) for folder in folders for path in (root / folder).rglob("*"))


def test_everything_is_written_and_nothing_else(reported):
    assert tuple(written(reported)) == WRITTEN


def test_the_same_inputs_give_the_same_bytes(reported, tmp_path, params):
    write_world(tmp_path)
    write_report(tmp_path, params, DEBUG_NAMES)
    files = [name for name in WRITTEN if (reported / name).is_file()]
    _, different, failed = filecmp.cmpfiles(reported, tmp_path, files, shallow=False)
    assert (different, failed) == ([], [])
    assert str(tmp_path) not in (tmp_path / "report/index.html").read_text()


def test_a_profile_without_attributes_reports_so(tmp_path, params):
    write_world(tmp_path)
    for path in (tmp_path / "data/relations").iterdir():
        path.unlink()
    write_report(tmp_path, params, DEBUG_NAMES)
    assert json.loads((tmp_path / "metrics/relations.json").read_text()) == {}
    assert pd.read_csv(tmp_path / "plots/relations.csv").empty
    assert Image.open(tmp_path / "plots/relations.png").size[0] > 100
    assert "This profile has no images with attributes" in (tmp_path / "report/index.html").read_text()


SHOWN = ("accuracy", "relations", "seeds_and_picks", "sparse")
CARDS = ("../report/cards/label-dress-1", "../report/cards/error-diagnosis-0-000")


@pytest.mark.parametrize("path", [*SHOWN, *CARDS])
def test_pictures_show_something(reported, path):
    image = Image.open(reported / f"plots/{path}.png")
    assert image.size[0] > 900
    assert np.asarray(image.convert("L")).std() > 10
    assert "Software" not in image.info


def test_cards_are_of_what_stages_found(world, tmp_path, params):
    shutil.copytree(world / "data", tmp_path / "data")
    shutil.rmtree(tmp_path / "data/sparse")
    inputs = Inputs(tmp_path, params, DEBUG_NAMES)
    _write_cards(inputs)
    assert cards_in(tmp_path) == ["label-dress-1.png", "prediction-bag-1.png"]
    shutil.copytree(world / "data/sparse", tmp_path / "data/sparse")
    shutil.rmtree(tmp_path / "data/barlow")
    _write_cards(inputs)
    assert cards_in(tmp_path) == [f"error-diagnosis-{name}.png" for name in ("0-000", "1-002", "3-001")]


def cards_in(root):
    return sorted(path.name for path in (root / "report/cards").iterdir())
