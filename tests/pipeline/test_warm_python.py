"""The warm Python of scratch clones, wherever this repository's environment and the tests' folders lie."""

import os
import subprocess
import sys
import sysconfig

import pytest

from tests.pipeline.warm_python import warm_python

PLACES = ["two words", "größer", 'it\'s "here"', "long-" * 40]
STAGE = "import os, sys; print(os.getcwd(), *sys.argv[1:], 'pydantic' in sys.modules)"  # which the server has imported


@pytest.mark.parametrize("place", PLACES)
def test_stages_and_other_modules_run_in_any_folder(place, tmp_path, monkeypatch):
    folder = tmp_path / place
    (folder / "stages").mkdir(parents=True)
    (folder / "stages" / "tell.py").write_text(STAGE)
    interpreter = folder / "python"  # as that of a .venv in such a folder
    interpreter.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(interpreter))
    monkeypatch.setenv("PYTHONPATH", sysconfig.get_path("purelib"))  # the link knows no environment of its own
    with warm_python(folder, ["json"]) as binaries:
        for module, told in ((["stages.tell", "a b"], f"{folder} a b True\n"), (["calendar", "1999", "12"], None)):
            command = [str(binaries / "python"), "-m", *module]
            done = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout == told if told else "December 1999" in done.stdout
