"""What makes docs/results: it runs the commands that the docs name, and refuses what cannot give a true result."""

import os
import subprocess
import sys

import pytest

from debugset.base.files import read_json, write_json
from tests.pipeline.conftest import ROOT
from tools.results import data_versions, sweep
from tools.results.clone import Clone, checked_head

ACCURACY = {"variants": {"random": {"heldout": {"accuracy": 0.25}, "test": {"accuracy": 0.75}}}}


class RecordedClone:
    """Stands in for a scratch clone: keeps its commands, and draws the picture that one of them would draw."""

    def __init__(self, folder, per_seed):
        self.folder, self.params, self.commands = folder, {"pick": {"per_seed": per_seed}}, []
        self.environment = dict(os.environ)
        write_json(folder / "metrics/accuracy.json", ACCURACY)

    def run(self, *command):
        self.commands.append(" ".join(command))

    def output(self, *command):
        self.run(*command)
        (self.folder / "sweep.png").write_bytes(b"drawn")
        return "experiment  accuracy\ndrew sweep.png\n"


def test_a_sweep_is_an_experiment_a_value_beside_the_default_run(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "FOLDER", tmp_path / "sweep")
    clone = RecordedClone(tmp_path, per_seed=6)
    sweep.make(clone)
    assert clone.commands == [
        "dvc exp run --name picks-2 --set-param pick.per_seed=2",
        "dvc exp run --name picks-4 --set-param pick.per_seed=4",
        "dvc exp run --name picks-8 --set-param pick.per_seed=8",
        "debugset versions sweep --picture sweep.png",
    ]
    assert (tmp_path / "sweep/per_seed.txt").read_text() == "experiment  accuracy\n"
    run = read_json(tmp_path / "sweep/run.json")
    assert sorted(run["files"]) == ["per_seed.png", "per_seed.txt"]
    assert run["params"] == clone.params
    assert run["shared"] == {"metrics/accuracy.json": {"variants": {"random": {"heldout": {"accuracy": 0.25}}}}}


def test_a_sweep_over_the_default_s_own_value_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is one of the sweep's own values"):
        sweep.make(RecordedClone(tmp_path, per_seed=4))


def test_a_failing_script_is_told_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOLDER", str(tmp_path / "versions"))
    script = tmp_path / "tools/data_versions"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o755)
    with pytest.raises(OSError, match="tools/data_versions failed; its words are above"):
        data_versions.make(Clone(tmp_path))
    assert not (tmp_path / "docs").exists()


def test_results_are_made_of_a_commit_and_edits_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("code.py", "README.md"):
        (tmp_path / name).write_text("1\n")
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    for command in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "first")):
        subprocess.run(["git", *command], check=True)
    (tmp_path / "README.md").write_text("2\n")  # results write there
    assert len(checked_head()) == 40
    (tmp_path / "code.py").write_text("2\n")
    with pytest.raises(ValueError, match=r"^code.py: commit your changes first"):
        checked_head()


def test_a_page_without_its_comments_is_told_before_the_work(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tools.results", "sweep"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: README.md: expected the comments <!-- table: written by `make results` -->")
