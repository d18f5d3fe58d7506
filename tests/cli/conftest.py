"""The command ``debugset`` in a git repository of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from debugset.cli.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
MANIFEST_COLUMNS = ["id", "label", "sha256", "width", "height", "shard", "offset", "size"]
CLASSES = ("tshirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")


@pytest.fixture
def debugset(tmp_path, monkeypatch, capsys):
    """Run `debugset` in a repository that holds the profiles, fashion being the committed params.yaml."""
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    shutil.copy(ROOT / "profiles" / "fashion.yaml", tmp_path / "params.yaml")
    (tmp_path / ".dvc").mkdir()
    for command in (["init", "-q"], ["add", "-A"], [*IDENTITY, "commit", "-qm", "start"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)

    def run(*arguments, fails=False):
        monkeypatch.setattr(sys, "argv", ["debugset", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        if not fails:
            assert end.value.code == 0
            return printed.out
        if end.value.code == 2:  # the command line itself is wrong, which typer tells
            return printed.out + printed.err
        error = end.value.code  # text ends on stderr, with exit code 1
        assert error.startswith("error: ")
        assert "\n" not in error
        return error

    run.folder = tmp_path
    return run


def replace(path, before, after):
    """Replace a text that a file holds."""
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
