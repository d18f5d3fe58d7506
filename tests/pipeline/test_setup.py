"""tools/setup: what it refuses before anything is installed, and that its environment works in every folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.conftest import IDENTITY, ROOT

FILES = ("tools/setup", "requirements.lock", "requirements-cuda.lock", "dvc.yaml")
MEND = "run this in a clone, or make this folder a repository: git init && git add . && git commit -m start"
# Makes an environment that "installs" the package as setuptools does: by the whole path of src, in the locale's letters
PYTHON = """\
#!/bin/sh
case "$*" in
    "-m venv .venv") mkdir -p .venv/bin .venv/lib/python3.11/site-packages && cp "$0" .venv/bin/python ;;
    *--editable*) echo "$PWD/src" > .venv/lib/python3.11/site-packages/__editable__.debugset-0.1.0.pth ;;
    "-m pip"*) ;;
    *) exec '{python}' "$@" ;;
esac
"""


@pytest.fixture
def unpacked(tmp_path, monkeypatch):
    """The files of the set-up in a folder of a name, as an archive has them; a function that makes it."""

    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))

    def unpack(name):
        folder = tmp_path / name
        for file in FILES:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, folder / file)
        return folder

    return unpack


@pytest.fixture
def interpreter(tmp_path):
    """An interpreter that installs nothing."""
    path = tmp_path / "python3"
    path.write_text(PYTHON.format(python=sys.executable))
    path.chmod(0o755)
    return path


def setup(folder, **environment):
    """Run the set-up in a locale that knows ASCII alone; its exit code and what it printed."""
    foreign = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "LC_", "PYTHON")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    ours |= {"LC_ALL": "C", "PYTHON": str(folder / "none"), **IDENTITY, **environment}
    done = subprocess.run([folder / "tools/setup"], env=ours, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def git(folder, *commands):
    for command in commands:
        subprocess.run(["git", *command], cwd=folder, check=True, env=os.environ | IDENTITY)


def refuse(folder, said, mend=MEND, **environment):
    """The set-up ends in one line, git's words and the mend, and nothing was installed."""
    code, printed, error = setup(folder, **environment)
    assert (code, printed) == (1, "")
    assert re.fullmatch(f"error: {said}; {re.escape(mend)}\n", error)
    assert not (folder / ".venv").exists()


def test_an_archive_is_refused_with_the_mend(unpacked):
    refuse(unpacked("archive"), "fatal: not a git repository .*")


def test_an_archive_within_another_repository_is_refused(unpacked):
    folder = unpacked("project/vendor/debugset")
    git(folder.parents[1], ["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "start"])
    refuse(folder, "fatal: path 'vendor/debugset/dvc.yaml' exists on disk, but not in 'HEAD'")


def test_a_repository_without_a_commit_is_refused(unpacked):
    folder = unpacked("begun")
    git(folder, ["init", "-q"], ["add", "."])
    refuse(folder, "fatal: .*HEAD.*")


@pytest.mark.parametrize(("name", "quoted"), [("mounted", "mounted"), ("it's mine", r"it'\''s mine")])
def test_another_user_s_repository_is_refused_with_git_s_own_mend(unpacked, name, quoted):
    folder = unpacked(name)
    git(folder, ["init", "-q"], ["add", "."], ["commit", "-q", "-m", "start"])
    foreign = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}  # git's own tests use it
    mend = f"run git config --global --add safe.directory '{folder.parent}/{quoted}'"
    refuse(folder, "fatal: detected dubious ownership in repository at .*", mend, **foreign)


def test_a_machine_without_git_is_told(unpacked, tmp_path):
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "env", "dirname"):
        (programs / name).symlink_to(shutil.which(name))
    refuse(unpacked("archive"), "git: not found", "install it (Debian: apt-get install git)", PATH=str(programs))


@pytest.mark.parametrize("name", ["two words", "größe mit ö", "写真"])
def test_its_environment_finds_the_package_in_any_folder_and_locale(unpacked, interpreter, name):
    folder = unpacked(f"{name}/debugset")
    (folder / "src").mkdir()
    (folder / "src/found_here.py").touch()
    git(folder, ["init", "-q"], ["add", "."], ["commit", "-q", "-m", "start"])
    code, printed, error = setup(folder, PYTHON=str(interpreter))
    assert (code, error) == (0, "")
    assert printed.endswith("Built .venv\n")
    (packages,) = folder.glob(".venv/lib/python*/site-packages")
    look = f"import site; site.addsitedir({str(packages)!r}); import found_here; print(found_here.__file__)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", look], env={"LC_ALL": "C"}, capture_output=True, text=True, encoding="utf-8"
    )
    assert (done.stderr, Path(done.stdout.strip()).resolve()) == ("", folder / "src/found_here.py")
    assert setup(folder, PYTHON=str(interpreter)) == (0, "", "")  # and it is not built again
