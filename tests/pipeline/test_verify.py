"""`debugset verify` by real DVC, in a small repository of four stages whose results a variable can change."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml

from debugset.base.numerics import cpu_name
from debugset.versions import lock
from debugset.versions.verify import verify
from tests.pipeline.conftest import IDENTITY

GRAPH = """\
stages:
  first:
    cmd: cp given first; if [ -n "$HOLD" ]; then (echo held; tail -f /dev/null) > "$HOLD"; fi
    deps: [given]
    params: [numerics]
    outs: [first]
  second:
    foreach: [left, right]
    do:
      cmd: test "$FLAVOUR_OF_SECOND" != none && mkdir -p ${item} && (cat first; echo $FLAVOUR_OF_SECOND) > ${item}/out
      deps: [first]
      outs: ["${item}"]
  third:
    cmd: cat left/out right/out > third
    deps: [left/out, right]
    outs:
      - third: {cache: false}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The repository after `dvc repro`, committed."""
    folder = tmp_path_factory.mktemp("verified") / "repository"
    folder.mkdir()
    (folder / "dvc.yaml").write_text(GRAPH)
    (folder / "params.yaml").write_text("numerics: portable\n")
    (folder / "given").write_text("given\n")
    dvc = [sys.executable, "-m", "dvc"]
    for command in (
        ["git", "init", "-q"],
        [*dvc, "init", "-q"],
        [*dvc, "repro", "-q"],
        ["git", "add", "-A"],
        ["git", "commit", "-q", "-m", "made"],
    ):
        subprocess.run(command, cwd=folder, check=True, env=os.environ | IDENTITY, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture
def repository(made, tmp_path, monkeypatch):
    """A copy of it, cache included; scratch copies go to a folder of the test's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch für alle"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("DEBUGSET_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("DEBUGSET_DEVICE", "cpu")
    (tmp_path / "scratch für alle").mkdir()
    return shutil.copytree(made, tmp_path / "zwei größere Worte" / "repository", symlinks=True)


def outcomes(printed):
    """By stage, whether it is told as the same."""
    lines = [line.split() for line in printed.splitlines()]
    return {line[0]: line[1] for line in lines if len(line) > 2 and line[1] in ("same", "different")}


def test_equal_outs_are_told_and_nothing_is_left(repository, tmp_path, capsys):
    assert verify(repository, [])
    printed = capsys.readouterr().out
    assert outcomes(printed) == dict.fromkeys(["first", "second@left", "second@right", "third"], "same")
    assert "4 of 4 stages are the same" in printed
    assert f"this machine:         {cpu_name()}" in printed
    assert list((tmp_path / "scratch für alle").iterdir()) == []


def test_another_result_is_told_with_what_follows_from_it(repository, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FLAVOUR_OF_SECOND", "other")
    before = {path: path.read_bytes() for path in repository.iterdir() if path.is_file()}
    assert not verify(repository, [])
    printed = capsys.readouterr().out
    expected = {"first": "same", "second@left": "different", "second@right": "different", "third": "different"}
    assert outcomes(printed) == expected
    second, third = (
        next(line for line in printed.splitlines() if line.startswith(name)) for name in ("second", "third ")
    )
    assert second.endswith("left")
    assert third.endswith("third (as its inputs do: left/out, right)")
    assert "1 of 4 stages are the same" in printed
    (kept,) = (tmp_path / "scratch für alle").iterdir()
    assert printed.splitlines()[-1] == f"what this machine made stays in {kept}, for you to look at and remove"
    assert (kept / "debugset/third").read_text() == "given\nother\n" * 2
    assert {path: path.read_bytes() for path in before} == before


def test_a_stage_alone_takes_the_committed_inputs(repository, capsys, monkeypatch):
    monkeypatch.setenv("FLAVOUR_OF_SECOND", "other")
    for name in ("first", "left", "right", "third"):  # what lies in the folder does not count
        path = repository / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    subprocess.run(["git", "checkout", "-q", "third"], cwd=repository, check=True)
    assert verify(repository, ["third", "first"])
    assert outcomes(capsys.readouterr().out) == {"first": "same", "third": "same"}
    assert not verify(repository, ["second"])
    assert outcomes(capsys.readouterr().out) == {"second@left": "different", "second@right": "different"}


def test_an_unknown_stage_is_named(repository):
    with pytest.raises(ValueError, match=r"fourth: no such stage; choose from first, second@left, second@right, third"):
        verify(repository, ["fourth"])


def test_a_stale_lock_file_is_refused(repository):
    (repository / "given").write_text("changed\n")
    with pytest.raises(ValueError, match=r"dvc.lock is stale: stage `first` would run"):
        verify(repository, [])


def test_an_input_that_no_cache_holds_is_told(repository, tmp_path):
    shutil.rmtree(repository / ".dvc/cache")
    said = "^left, right: not in DVC's cache, so third cannot be run; run `dvc pull` or `dvc repro` first$"
    with pytest.raises(OSError, match=said):
        verify(repository, ["third"])
    assert list((tmp_path / "scratch für alle").iterdir()) == []


def test_a_killed_one_ends_what_it_runs(repository, tmp_path):
    pipe = tmp_path / "hold"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "debugset.cli", "verify"]
    environment = os.environ | {"HOLD": str(pipe), "TMPDIR": str(tmp_path / "scratch für alle")}
    with subprocess.Popen(command, cwd=repository, env=environment, stdout=subprocess.PIPE, text=True) as process:
        with pipe.open() as held:
            assert held.readline() == "held\n"
            process.terminate()
            assert held.read() == ""  # the stage has ended, and with it its end of the pipe
        assert "what was done so far stays in" in process.stdout.read()
    assert process.returncode == 130


@pytest.mark.parametrize("text", ["", "- a\n", "<<<<<<< HEAD\n", "stages:\n  a:\n    outs: [{path: x}]\n", "a: 1\n"])
def test_a_damaged_lock_file_is_told(repository, text):
    (repository / "dvc.lock").write_text(text)
    with pytest.raises(ValueError, match=r"dvc.lock: not a lock file of DVC's"):
        verify(repository, [])


def test_a_folder_that_is_no_repository_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "params.yaml").write_text("numerics: native\n")
    assert list(lock.problems(tmp_path)) == ["dvc.lock: no such file; run this in the repository's folder"]
    (tmp_path / "dvc.lock").write_text("stages: {}\n")
    with pytest.raises(OSError, match=r"git lists no files there \(fatal: not a git .*\); run this in a clone"):
        verify(tmp_path, [])


def test_misspelt_numerics_are_named_and_not_the_lock_file(repository):
    (repository / "params.yaml").write_text("numerics: portabel\n")
    with pytest.raises(ValueError, match=r"`numerics`: say portable or native \(got 'portabel'\)"):
        verify(repository, [])


def test_a_tracked_result_that_is_gone_is_named(repository):
    (repository / "third").unlink()
    assert next(lock.problems(repository)).startswith("third: differs from what dvc.lock records")


def test_a_failing_stage_ends_it_and_shows_the_log(repository, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FLAVOUR_OF_SECOND", "none")
    with pytest.raises(OSError, match=r"the run failed; .+/log has all that it said"):
        verify(repository, [])
    printed = capsys.readouterr()
    assert outcomes(printed.out) == {"first": "same"}
    assert "failed to reproduce 'second@left'" in printed.err
    assert f"stays in {next((tmp_path / 'scratch für alle').iterdir())}" in printed.out


def test_the_maker_is_recorded_once_for_the_same_outs(repository, monkeypatch):
    def record(cpu):
        monkeypatch.setattr(lock, "cpu_name", lambda: cpu)
        lock.record_maker(repository)
        return lock.maker(repository)

    assert lock.maker(repository) is None
    (repository / lock.MADE_ON).parent.mkdir(parents=True)
    for damaged in ("", "[]", "{}"):
        (repository / lock.MADE_ON).write_text(damaged)
        assert lock.maker(repository) is None
    assert record("the first") == "the first"
    path = repository / "dvc.lock"
    entries = yaml.safe_load(path.read_text())
    entries["stages"]["first"]["deps"][0]["md5"] = "0" * 32  # code that changed nothing
    path.write_text(yaml.safe_dump(entries))
    assert record("the second") == "the first"
    entries["stages"]["third"]["outs"][0]["md5"] = "0" * 32
    path.write_text(yaml.safe_dump(entries))
    assert lock.maker(repository) is None
    assert record("the second") == "the second"
