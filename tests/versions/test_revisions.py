"""Image sets of a revision: what stands in their way ends in one line, with git's and DVC's own words."""

import io
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from botocore.exceptions import NoCredentialsError
from dvc.exceptions import DvcException
from dvc.repo import Repo
from PIL import Image

from debugset.base.git import git
from debugset.images.sets import write_manifest, write_set
from debugset.versions import revisions
from debugset.versions.data_diff import by_class, changed_images
from debugset.versions.data_picture import draw
from debugset.versions.revisions import set_at

IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
COLUMNS = ["id", "label", "sha256", "width", "height", "shard", "offset", "size"]
POOL = "data/pool"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository whose data/pool DVC tracks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    git("init", "-q")
    with Repo.init(".") as repo:
        write_manifest(tmp_path / POOL, pd.DataFrame([["a", 0, "0", 1, 1, "a.tar", 512, 9]], columns=COLUMNS), ("bag",))
        repo.add(POOL)
    git("add", "-A")
    git(*IDENTITY, "commit", "-qm", "start")
    return tmp_path


def test_a_set_is_read_from_the_cache(project):
    shutil.rmtree(project / POOL)
    found = set_at("HEAD", POOL)
    assert found.manifest["id"].tolist() == ["a"]
    assert found.classes == ("bag",)
    assert found.image("a") is None  # its shard is nowhere


def test_images_that_a_picture_lacks_are_counted(project):
    after = set_at("HEAD", POOL)
    before = after._replace(manifest=after.manifest[:0])
    changed = changed_images(before.manifest, after.manifest, before.classes, after.classes)
    table = by_class(changed, before.manifest, after.manifest, before.classes, after.classes)
    assert draw(project / "diff.png", table, changed, before, after) == 1  # its shard is nowhere
    assert draw(project / "diff.png", table, changed[:0], before, after) == 0


@pytest.mark.parametrize("orientation", [1, 6])
def test_an_image_of_a_revision_is_decoded_as_everywhere(project, orientation):
    """Upright, and what is transparent on white."""
    exif, stream = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.new("RGBA", (6, 4), (200, 0, 0, 0)).save(stream, "PNG", exif=exif)
    shutil.rmtree(project / POOL)
    Path(POOL).mkdir()
    write_set(Path(POOL), [({"id": "a", "label": 0, "shard": "0.tar"}, stream.getvalue())], ["bag"])
    with Repo(".") as repo:
        repo.add(POOL)
    git(*IDENTITY, "commit", "-qam", "an image")
    shutil.rmtree(project / POOL)
    image = set_at("HEAD", POOL).image("a")
    assert image.size == ((6, 4) if orientation == 1 else (4, 6))
    assert image.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("revision", ["HEAD", "workspace"])
def test_another_users_clone_is_told_in_gits_words(project, monkeypatch, revision):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    with pytest.raises(OSError, match=r"^git rev-parse: fatal: detected dubious ownership(.|\n)*safe\.directory"):
        set_at(revision, POOL)


def test_a_clone_without_the_data_is_told_to_pull(project, tmp_path, monkeypatch):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(project), str(clone)], check=True)
    monkeypatch.chdir(clone)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(clone / "site"))
    path = f"{POOL}/manifest.parquet"
    with pytest.raises(OSError, match="HEAD") as caught:
        set_at("HEAD", POOL)
    assert str(caught.value) == (
        f"HEAD: {path} is not in this version, or neither in DVC's cache nor on the remote; "
        "check --set, run `dvc pull`, or have its author `make push` that version"
    )
    with pytest.raises(ValueError, match=f"^{path}: no such image set; check --set, run `dvc repro` or `dvc pull`$"):
        set_at("workspace", POOL)


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NoCredentialsError(), "Unable to locate credentials"),
        (DvcException("cannot\nlist"), "cannot list"),
        (ConnectionRefusedError(111, "Connect call failed"), r"\[Errno 111\] Connect call failed"),
        (TimeoutError(), "TimeoutError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_remote_out_of_reach_is_told_in_its_own_words(project, monkeypatch, error, why):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(revisions.DVCFileSystem, "open", fail)
    path = f"{POOL}/manifest.parquet"
    with pytest.raises(OSError, match=rf"^HEAD: {path} is out of reach \({why}\); run `dvc pull`, which tells more$"):
        set_at("HEAD", POOL)


@pytest.mark.parametrize("content", [b"", b"<html>", b"PAR1 and more PAR1"])
def test_a_broken_manifest_is_named(project, content):
    Path(POOL, "manifest.parquet").write_bytes(content)
    with pytest.raises(ValueError, match="not a manifest of images") as caught:
        set_at("workspace", POOL)
    assert str(caught.value).startswith(f"{POOL}/manifest.parquet: workspace: not a manifest of images (")
    assert str(caught.value).endswith("); restore it by `dvc pull`, or `dvc repro`")
