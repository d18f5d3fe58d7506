"""Purging in a real git and DVC repository: what is gone, what stays, what is asked, what is refused."""

import io
import re
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pandas as pd
import pytest
import yaml
from dvc.data_cloud import DataCloud
from dvc.exceptions import DvcException
from dvc.fs import AuthError, LocalFileSystem

from debugset.cli.__main__ import main
from debugset.purge.stores import LOCAL, Store
from tests.purge.project import GONE, KEPT, OTHER, Project, contents, feature, photo

MARKS = [GONE.encode(), GONE[::-1].encode(), photo(GONE), feature(GONE).tobytes()]


@pytest.fixture(scope="module", autouse=True)
def isolated(tmp_path_factory):
    """Keep DVC's and git's settings and folders apart from the user's."""
    folder = tmp_path_factory.mktemp("isolated")
    settings = {f"DVC_{name}_DIR": folder / name for name in ("SITE_CACHE", "GLOBAL_CONFIG", "SYSTEM_CONFIG")}
    settings |= {
        f"GIT_{role}_{name}": "test@localhost" for role in ("AUTHOR", "COMMITTER") for name in ("NAME", "EMAIL")
    }
    settings |= {"DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DEBUGSET_SPOOL", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
            patch.delenv(name, raising=False)
        for name, value in settings.items():
            patch.setenv(name, str(value))
        yield


@pytest.fixture(scope="module")
def history(tmp_path_factory, isolated):
    """A project with v1, an experiment and a queued one on it, and v2, from which a photo is forgotten; all pushed."""
    project = Project(tmp_path_factory.mktemp("history"))
    project.create()
    project.version("v1", [KEPT, GONE, OTHER])
    with project.dvc() as repo:
        repo.experiments.save(name="probe")
        repo.experiments.run(queue=True, name="later")
    project.version("v2", [KEPT, OTHER], forgotten=f"# what is not packed\n{GONE}\n")
    with project.dvc() as repo:
        repo.push(run_cache=True, all_tags=True)
    held = holding(project)
    assert {Path(path).is_relative_to(project.remote) for path in held} == {True, False}
    return project


@pytest.fixture
def project(history, tmp_path):
    """A copy of that project with its remote."""
    for folder in (history.folder, history.remote):
        shutil.copytree(folder, tmp_path / folder.name, symlinks=True)
    copy = Project(tmp_path)
    copy.use_remote()
    return copy


@pytest.fixture
def purge(project, monkeypatch, capsys):
    """Run `debugset pool purge` in the project."""

    def run(*arguments, answer="", fails=False):
        monkeypatch.setattr(sys, "argv", ["debugset", "pool", "purge", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        with chdir(project.folder), pytest.raises(SystemExit) as end:
            main()
        assert bool(end.value.code) == fails
        return end.value.code if fails else capsys.readouterr().out

    return run


def holding(project):
    """The files of cache and remote that name or show the photo, tables read, and records that name such files."""
    files = project.files()
    found = {path for path, content in files.items() if any(mark in content for mark in MARKS)}
    tables = {path: content for path, content in files.items() if content[:4] == b"PAR1"}
    found |= {path for path, content in tables.items() if GONE in pd.read_parquet(io.BytesIO(content)).to_csv()}
    return {str(path) for path in found}


def test_nothing_holds_the_photo_any_more(project, purge):
    lost = {name.replace("/", "")[-30:] for name in holding(project)}  # the end of an object's hash
    said = purge("--yes")
    assert not holding(project)
    records = [content.decode() for path, content in project.files().items() if "runs" in path.parts]
    hashes = set(re.findall(r"[0-9a-f]{32}", "\n".join(records)))
    assert records
    assert not {hash[2:] for hash in hashes} & lost
    assert project.refs() == {"refs/heads/main", "refs/tags/v2"}
    assert "Data v1" in said.split("can no longer be restored:")[1]
    with project.dvc() as repo:
        assert not list(repo.experiments.celery_queue.iter_queued())


def test_a_second_purge_finds_nothing(purge):
    purge("--yes")
    said = purge("--yes")
    assert "Nothing holds a forgotten photo (This machine and store searched)" in said
    assert "old versions name are gone" in said


def test_what_does_not_hold_the_photo_stays(project, purge):
    before = project.files()
    purge("--yes")
    kept = {content for path, content in project.files().items() if project.remote in path.parents}
    for mark in (photo(OTHER), feature(OTHER).tobytes(), b"dcd-robust learnt", b"bars"):  # v1 shares these with v2
        here = [content for content in before.values() if mark in content]
        assert here
        assert kept.issuperset(here)


def test_the_new_version_is_whole_in_a_fresh_clone(project, purge, tmp_path):
    purge("--yes")
    subprocess.run(["git", "clone", "-q", project.folder, tmp_path / "clone"], check=True)
    clone = Project(tmp_path)
    clone.folder = tmp_path / "clone"
    clone.use_remote()
    with clone.dvc() as repo:
        repo.pull(run_cache=True)
        assert repo.status() == {}
        assert repo.reproduce() == []
    for name in ("data", "models", "report", "plots"):
        here, there = (contents(folder / name) for folder in (project.folder, clone.folder))
        assert list(here.values()) == list(there.values())


@pytest.mark.parametrize(("arguments", "answer"), [(["--dry-run"], "y\n"), ([], "n\n"), ([], "\n")])
def test_nothing_is_removed_unless_the_answer_is_yes(project, purge, arguments, answer):
    files, refs = project.files(), project.refs()
    said = purge(*arguments, answer=answer)
    assert re.search(r"tag +v1 ", said)
    assert re.search(r"experiment +probe ", said)
    assert re.search(r"queued +later ", said)
    assert re.search(r"shard +data/pool/2014\.tar +.*v1.* 10\.2 kB +This machine, store", said)
    assert (project.files(), project.refs()) == (files, refs)


def test_yes_is_taken_for_an_answer(project, purge):
    purge(GONE, answer="y\n")
    assert not holding(project)


def test_a_photo_that_is_not_forgotten_is_refused(project, purge):
    assert f"run `debugset pool forget {KEPT}`" in purge(KEPT, fails=True)


@pytest.mark.parametrize("commit", [True, False])
def test_the_current_version_is_never_robbed(project, purge, commit):
    project.git("checkout", "-q", "v1", "--", "dvc.lock")
    if commit:
        project.git("commit", "-qm", "Back to v1")
        project.git("checkout", "-q", "v2", "--", "dvc.lock")
    files = project.files()
    error = purge("--yes", fails=True)
    assert "run `dvc repro`, commit dvc.lock, then purge" in error
    assert "\n" not in error
    assert project.files() == files


def test_an_old_pool_in_the_working_tree_is_refused(project, purge):
    with project.dvc() as repo:
        repo.scm.checkout("v1")
        repo.checkout()
        repo.scm.checkout("main")
    assert "`dvc checkout`" in purge("--yes", fails=True)
    assert holding(project)


@pytest.mark.parametrize("removed", [0, 1, 6, 12, 25])
def test_a_killed_purge_is_finished_by_the_next(project, purge, monkeypatch, removed):
    left, remove = [removed], Store._remove

    def killed(self, path):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        remove(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "_remove", killed)
        patch.setattr(sys, "argv", ["debugset", "pool", "purge", "--yes"])
        with chdir(project.folder), pytest.raises((KeyboardInterrupt, SystemExit)):
            main()
    assert "refs/tags/v1" in project.refs()
    assert "What an earlier purge left" in purge("--yes")
    assert not holding(project)
    assert project.refs() == {"refs/heads/main", "refs/tags/v2"}
    assert "What an earlier purge left" not in purge("--yes")


def test_a_remote_that_is_left_alone_is_purged_later(project, purge):
    there = contents(project.remote)
    assert "address: store. So tags, experiments" in purge("--yes", "--local-only")
    assert contents(project.remote) == there
    left = holding(project)
    assert left
    assert all(name.startswith(str(project.remote)) for name in left)
    assert "refs/tags/v1" in project.refs()
    purge("--yes")
    assert not holding(project)
    assert project.refs() == {"refs/heads/main", "refs/tags/v2"}


@pytest.fixture
def backed_up(project):
    """The project with a second remote, whose first one has no records of runs, and v1 known by experiments alone."""
    shutil.copytree(project.remote, project.backup)
    shutil.rmtree(project.remote / "runs")
    alone = project.git("commit-tree", "-m", "Data v2", "v2^{tree}").strip()
    project.git("reset", "-q", "--soft", alone)
    project.git("tag", "-d", "v1", "v2")
    project.git("reflog", "expire", "--expire=all", "HEAD", "refs/heads/main")
    return project


def test_what_finds_the_photo_stays_until_all_remotes_are_searched(backed_up, purge):
    backed_up.use_remote("backup")
    records = contents(backed_up.folder / ".dvc/cache/runs")
    assert "address: store. So tags" in purge("--yes", "--remote", "backup")
    left = holding(backed_up)
    assert left
    assert all(name.startswith(str(backed_up.remote)) for name in left)
    assert any(ref.endswith("/probe") for ref in backed_up.refs())
    assert contents(backed_up.folder / ".dvc/cache/runs") == records
    assert "What an earlier purge left" in purge("--yes")
    assert not holding(backed_up)
    assert backed_up.refs() == {"refs/heads/main"}


@pytest.mark.parametrize("default", ["store", ""])
def test_all_remotes_are_searched(backed_up, purge, default):
    backed_up.use_remote("backup", default=default)
    purge("--yes")
    assert not holding(backed_up)
    assert backed_up.refs() == {"refs/heads/main"}


def test_a_remote_may_be_named_as_the_cache_is(backed_up, purge):
    backed_up.use_remote(LOCAL)
    purge("--yes")
    assert not holding(backed_up)


def test_what_only_the_remote_has_is_found(project, purge):
    shutil.rmtree(project.folder / ".dvc/cache")
    assert holding(project)
    purge("--yes", "--remote", "store")
    assert not holding(project)


def test_an_unknown_remote_is_refused(purge):
    assert "nowhere" in purge("--remote", "nowhere", fails=True)


def test_one_remote_and_none_is_refused(purge):
    assert "--remote and --local-only exclude each other" in purge("--remote", "store", "--local-only", fails=True)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        ("exists", RuntimeError("Unable to locate\ncredentials"), "error: store: Unable to locate credentials"),
        ("open", PermissionError("denied"), "error: store: denied"),
        (
            "remove",
            NotImplementedError(),
            "error: store: this kind of remote lets nothing be listed or removed; leave it out",
        ),
        ("remove", DvcException("locked"), "error: store: locked"),
    ],
)
def test_a_remote_s_error_is_one_line_with_its_name(project, purge, monkeypatch, call, error, said):
    shutil.rmtree(project.folder / ".dvc/cache")
    work = getattr(LocalFileSystem, call)

    def failing(self, path, *arguments, **options):
        if Path(path).is_relative_to(project.remote):
            raise error
        return work(self, path, *arguments, **options)

    monkeypatch.setattr(LocalFileSystem, call, failing)
    assert purge("--yes", fails=True) == said


@pytest.mark.parametrize("error", [ImportError("needs\na package"), AuthError("needs\na package")])
def test_a_remote_that_cannot_be_opened_is_one_line(purge, monkeypatch, error):
    def failing(self, *arguments, **options):
        raise error

    monkeypatch.setattr(DataCloud, "get_remote_odb", failing)
    assert purge("--yes", fails=True) == "error: store: needs a package"


def test_a_setting_that_dvc_refuses_is_one_line(project, purge):
    (project.folder / ".dvc/config.local").write_text("['remote \"store\"']\n    url = nothing://bucket\n")
    assert purge("--yes", fails=True).startswith("error: DVC: ")


def test_a_remote_that_is_not_there_counts_as_not_searched(project, purge):
    project.remote.rename(project.backup)  # as if its disk were not mounted
    assert "error: store: nothing is at " in purge("--remote", "store", fails=True)
    assert "address: store. So tags" in purge("--yes")
    assert "refs/tags/v1" in project.refs()
    project.backup.rename(project.remote)
    purge("--yes")
    assert not holding(project)
    assert project.refs() == {"refs/heads/main", "refs/tags/v2"}


def test_a_tag_on_git_s_remote_is_left_to_people(project, purge, tmp_path):
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "hub"], check=True)
    project.git("remote", "add", "hub", str(tmp_path / "hub"))
    project.git("push", "-q", "hub", "main", "v1", "v2")
    assert "git push --delete hub v1\n" in purge("--yes")
    assert "refs/tags/v1" in project.git("ls-remote", "hub")


@pytest.fixture
def spool(project):
    """A spool with the current features, such as held the photo once, and what killed runs left."""
    cache, spool = contents(project.folder / ".dvc/cache"), project.folder / ".spool"
    old = next(array for array in cache.values() if feature(GONE).tobytes() in array)
    now = (project.folder / "data/features/robust/pool/2014.npy").read_bytes()
    files = {"features/one.npy": old, "features/batch.npy": now[:-1] + b"x", "features/two.npy": now}
    files |= {"features/.two.npy.7.tmp": now, "distances/one.npy": b"near", "distances/.two.npy.7.tmp": b"ne"}
    files |= {"neighbours/one.npy": b"near", "neighbours/.two.npy.7.tmp": b"ne"}
    for name, content in {**files, "scrape/pool.sqlite": b"answers"}.items():
        (spool / name).parent.mkdir(parents=True, exist_ok=True)
        (spool / name).write_bytes(content)
    return spool


def names(folder):
    return {str(path.relative_to(folder)) for path in contents(folder)}


def test_of_the_spool_only_current_features_stay(project, purge, spool):
    said = purge("--dry-run")
    assert re.search(r"spool +\S*features: not of the current features +2 files ", said)
    assert len(names(spool)) == 9
    purge("--yes")
    assert names(spool) == {"features/two.npy", "scrape/pool.sqlite"}


def test_features_in_the_working_tree_that_hold_the_photo_keep_none_in_the_spool(project, purge, spool):
    tree = project.folder / "data/features/robust"
    (tree / "old").mkdir()
    shutil.copy(spool / "features/one.npy", tree / "old/2014.npy")
    (tree / ".pool.tmp").mkdir()  # an embedding was killed
    shutil.copy(spool / "features/batch.npy", tree / ".pool.tmp/2014.npy")
    purge("--yes")
    assert names(spool) == {"features/two.npy", "scrape/pool.sqlite"}


def test_the_spool_stays_when_nothing_is_forgotten(project, purge, spool):
    (project.folder / "forgotten.txt").write_text("")
    purge("--yes")
    assert len(names(spool)) == 9


def test_the_project_s_lock_names_no_purged_object_of_v2(project, purge):
    purge("--yes")
    lock = yaml.safe_load((project.folder / "dvc.lock").read_text())["stages"]
    objects = {out["md5"] for entry in lock.values() for out in entry["outs"]}
    cache = {path.parent.name + path.name for path in (project.folder / ".dvc/cache/files/md5").rglob("*")}
    assert objects <= cache
