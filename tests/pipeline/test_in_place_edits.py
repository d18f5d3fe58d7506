"""What is added by `dvc add` may be edited where it lies: DVC's cache keeps what it was, and gives it back."""

import hashlib
import os
import shutil
import subprocess

import pytest
from dvc.repo import Repo

from tests.pipeline.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep")  # of DVC with pygtrie
BEFORE = b"url,class\nhttps://photos.example/1.jpg,bag\n"
DELIVERED = ("sources/2024-05/bag/1.jpg", "sources/2024-06.csv")  # a folder, a file


def append(path):
    with path.open("ab") as file:
        file.write(b"https://photos.example/2.jpg,boot\n")


def overwrite(path):
    with path.open("r+b") as file:
        file.write(b"URL")


def truncate(path):
    os.truncate(path, 10)


@pytest.fixture(params=["added", "checked out"])
def repository(request, tmp_path, monkeypatch):
    """A repository with this one's configuration and two deliveries, as `dvc add` or `dvc checkout` left them."""
    for level in ("GLOBAL", "SYSTEM"):  # the user's own settings
        monkeypatch.setenv(f"DVC_{level}_CONFIG_DIR", str(tmp_path / level))
    folder = tmp_path / "repository"
    shutil.copytree(ROOT / ".dvc", folder / ".dvc", ignore=lambda _, names: {*names} - {"config"})
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for name in DELIVERED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(BEFORE)
    with Repo(str(folder)) as repo:
        repo.add([str(folder / "sources/2024-05"), str(folder / "sources/2024-06.csv")])
        if request.param == "checked out":
            shutil.rmtree(folder / "sources/2024-05")
            (folder / "sources/2024-06.csv").unlink()
            repo.checkout()
    return folder


@pytest.mark.parametrize("edit", [append, overwrite, truncate])
def test_an_edit_in_place_leaves_the_cache_whole_and_is_undone_by_checkout(repository, edit):
    files = [repository / name for name in DELIVERED]
    for path in files:
        edit(path)
        assert path.read_bytes() != BEFORE
    objects = [path for path in (repository / ".dvc/cache/files/md5").rglob("*") if path.is_file()]
    assert len(objects) == 2  # the file, once, and the list of the folder
    for path in objects:
        content = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        assert path.parent.name + path.name.removesuffix(".dir") == content
    with Repo(str(repository)) as repo:
        repo.checkout(force=True)
    assert [path.read_bytes() for path in files] == [BEFORE, BEFORE]
