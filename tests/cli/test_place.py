"""``debugset`` from any folder of a clone: it works on the clone, and paths count from where the user stands."""

import os
import sys

import pandas as pd
import pytest

from debugset.cli import profiles
from debugset.images.sets import write_manifest
from debugset.versions import revisions
from tests.cli.conftest import MANIFEST_COLUMNS


@pytest.fixture
def stand(debugset, monkeypatch):
    """Go to a folder of the repository, which is made."""

    def go(folder):
        (debugset.folder / folder).mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(debugset.folder / folder)

    return go


@pytest.mark.parametrize("folder", ["docs", "data/sets/train", "größere Bilder/zwei Worte"])
def test_the_parameters_are_those_of_the_clone(debugset, stand, folder):
    stand(folder)
    assert debugset("check") == "params.yaml is valid; it equals profiles/fashion.yaml\n"
    stand(folder)
    debugset("use", "smoke")
    assert (debugset.folder / "params.yaml").read_text() == profiles.render("smoke")
    stand(folder)
    assert debugset("show", fails=True) == "error: metrics/accuracy.json: no results yet; run `dvc repro`"


def test_the_machine_s_settings_and_spool_are_those_of_the_clone(debugset, stand, monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.delenv("DEBUGSET_SPOOL", raising=False)
    (debugset.folder / ".env").write_text("DEBUGSET_SPOOL=elsewhere\n")
    stand("docs")
    assert "elsewhere" in debugset("pool", "status", fails=True)


def test_a_profile_s_path_counts_from_where_the_user_stands(debugset, stand):
    (debugset.folder / "profiles/smoke.yaml").rename(debugset.folder / "mine.yaml")
    stand("docs/deep")
    assert debugset("use", "../../mine.yaml") == "params.yaml is now mine.yaml; `dvc repro` runs it\n"
    stand("docs")
    assert "mine.yaml: no such profile; choose one of " in debugset("use", "mine.yaml", fails=True)


def test_what_is_read_and_written_counts_from_where_the_user_stands(debugset, stand):
    rows = pd.DataFrame(0, index=[0], columns=MANIFEST_COLUMNS).astype({"id": str, "sha256": str, "shard": str})
    rows = rows.assign(**{"attribute:bag": 1, "attribute:boot": -1})
    write_manifest(debugset.folder / "data/attributed/train", rows, ["image"])
    for folder, given, told in (
        ("docs", ["mine.csv"], "docs/mine.csv"),
        ("data", ["../ground_truth/mine.csv", "--set", "attributed/train"], "ground_truth/mine.csv"),
        ("data/attributed", [str(debugset.folder / "whole.csv"), "--set", "train"], "whole.csv"),
        ("docs", ["deep.csv", "--set", str(debugset.folder / "data/attributed/train")], "docs/deep.csv"),
        (".", ["here.csv", "--set", "data/attributed/train"], "here.csv"),
    ):
        stand(folder)
        assert f"wrote 1 pairs to {told};" in debugset("relations", "template", *given)
        assert (debugset.folder / told).is_file()


def test_a_path_above_the_clone_is_told_whole(debugset, stand):
    stand("docs")
    outside = debugset.folder.parent / "nowhere.yaml"
    error = debugset("relations", "collect", "bag+sandal-", "--write", "../../nowhere.yaml", fails=True)
    assert os.path.normpath(error.split()[1].rstrip(":")) == str(outside)


def test_the_nearest_clone_counts(debugset, stand):
    stand("inner/.dvc")
    stand("inner/docs")
    assert "params.yaml: no such parameter file" in debugset("check", fails=True)


def test_without_a_clone_it_stays_where_it_is(debugset, stand):
    (debugset.folder / ".dvc").rmdir()
    stand("docs")
    assert "params.yaml: no such parameter file; in the clone, run `debugset use NAME`" in debugset("check", fails=True)
    told = debugset("use", "smoke", fails=True)
    assert "smoke: no such profile, and no folder profiles here; run this in the clone" in told


def test_a_whole_path_into_the_clone_is_the_set_that_a_version_names(debugset, monkeypatch):
    asked = []
    monkeypatch.setattr(revisions, "set_at", lambda revision, folder: asked.append(folder) or sys.exit(0))
    debugset("versions", "diff", "HEAD", "--set", f"{debugset.folder}/data/sets/test")
    debugset("versions", "diff", "HEAD", "--set", f"{debugset.folder.parent}/elsewhere")
    assert asked == ["data/sets/test", f"{debugset.folder.parent}/elsewhere"]


def test_a_folder_that_is_gone_is_told(debugset, stand):
    stand("docs")
    (debugset.folder / "docs").rmdir()
    line = "error: the folder that you stand in is gone; go to one that is there"
    assert debugset("check", fails=True) == line
    assert debugset("use", "smoke", fails=True) == line
