"""``debugset barlow``: modes are listed, and their failures written for the next run to collect for."""

import shutil
from itertools import product

import pandas as pd
import pytest

from debugset.images.sets import write_manifest
from tests.cli.conftest import CLASSES, MANIFEST_COLUMNS, ROOT


@pytest.fixture
def modes(debugset):
    """Two failure modes as stage barlow writes them, of a debug class and of another one."""
    rows = [("label-coat-1", 4, True), ("label-boot-1", 9, False)]
    shared = {"error_rate": 0.8, "base_error_rate": 0.4, "error_coverage": 0.7, "heldout_error_rate": 0.75}
    table = [{"mode": name, "class": label, "words": "feature[3] < 0.5", "holds": holds} for name, label, holds in rows]
    members = []
    for (name, label, _), half, inside, failed in product(rows, ("discovery", "heldout"), (True, False), (True, False)):
        image_id = f"{name}-{half}-{inside}-{failed}"
        members.append((name, image_id, label, half, inside, failed))
    folder = debugset.folder / "data/barlow"
    folder.mkdir(parents=True)
    pd.DataFrame(table).assign(**shared).to_parquet(folder / "modes.parquet")
    pd.DataFrame(members, columns=["mode", "image_id", "label", "half", "inside", "failed"]).to_parquet(
        folder / "members.parquet"
    )
    (debugset.folder / "data/sets/diagnosis").mkdir(parents=True)
    write_manifest(debugset.folder / "data/sets/diagnosis", pd.DataFrame(columns=MANIFEST_COLUMNS), CLASSES)
    shutil.copy(ROOT / "errors.modes", debugset.folder)
    return debugset


def test_mend_writes_the_failures_lists_modes_and_forgets_them(modes):
    before = (modes.folder / "errors.modes").read_text()
    assert "wrote 1 failures to errors.modes" in modes("barlow", "mend", "label-coat-1")
    lines = (modes.folder / "errors.modes").read_text().splitlines()
    assert lines[-1] == "label-coat-1,coat,label-coat-1-discovery-True-True"
    assert len(lines) == 3
    listed = modes("barlow", "list").splitlines()
    assert listed[1].split()[:3] == ["label-coat-1", "*", "80"]
    assert "does not hold" in listed[2]
    modes("barlow", "mend", "--none")
    assert (modes.folder / "errors.modes").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["label-hat-1"], "label-hat-1: is no failure mode"),
        (["label-boot-1"], "label-boot-1: none of its failures is of a debug class; add classes to `errors.classes`"),
        (["label-coat-1", "--none"], "--none and MODE exclude each other"),
        ([], "give at least one, or --none; `debugset barlow list` names them"),
    ],
)
def test_mend_says_what_is_wrong_and_writes_nothing(modes, arguments, message):
    before = (modes.folder / "errors.modes").read_bytes()
    assert message in modes("barlow", "mend", *arguments, fails=True)
    assert (modes.folder / "errors.modes").read_bytes() == before


def test_mend_needs_a_run(debugset):
    assert "no failure modes yet; run `dvc repro`" in debugset("barlow", "mend", "label-coat-1", fails=True)


@pytest.mark.parametrize("arguments", [["list"], ["mend", "label-coat-1"]])
@pytest.mark.parametrize("content", [b"", b"PAR1", b"version https://git-lfs.github.com/spec/v1"])
def test_a_broken_table_is_named_with_its_mend(modes, arguments, content):
    (modes.folder / "data/barlow/modes.parquet").write_bytes(content)
    error = modes("barlow", *arguments, fails=True)
    assert error.startswith("error: data/barlow/modes.parquet: not a Parquet table as it should be (")
    assert error.endswith("); restore it by `dvc checkout`, or `dvc pull` in a clone, or run the stage that writes it")
