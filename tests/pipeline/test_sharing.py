"""Two data versions, shared through a remote: a colleague's clone has both without running a stage."""

import json
import re
import shutil

import pandas as pd
import pytest
import yaml
from PIL import Image

from tests.pipeline.conftest import clone_of
from tests.pipeline.import_closure import closure, entry_module
from tests.pipeline.moto import BUCKET, CREDENTIALS, s3_server
from tests.pipeline.tiny import tiny_clone

SNAPSHOTS = {"data-v1": "2023-12-31", "data-v2": "2024-12-31"}
DONE = re.compile(r"tage:? '([^']+)'(?: didn't change, skipping| is cached - skipping run|\n)")  # or "Pulling data for"
RUN = re.compile(r"Running stage '([^']+)'")


def stages(clone):
    """The names of the clone's resolved stages."""
    return set(clone.dvc("stage", "list", "--name-only").split())


def at(clone, tag, path):
    """A JSON file as a tag has it."""
    return json.loads(clone.git("show", f"{tag}:{path}"))


def outs(clone):
    """Path and content of every file under data and models."""
    files = [path for name in ("data", "models") for path in (clone.folder / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(clone.folder)): path.read_bytes() for path in files}


def assert_nothing_runs(clone, log):
    """DVC says of every stage that it need not run."""
    assert not RUN.findall(log), log
    assert set(DONE.findall(log)) == stages(clone), log


@pytest.fixture(scope="module")
def author(tmp_path_factory):
    """Clone A: data-v1 run, committed and tagged, then data-v2; `outs_of` holds what each version's run wrote."""
    with tiny_clone(tmp_path_factory.mktemp("author")) as clone:
        clone.outs_of = {}
        for tag, snapshot in SNAPSHOTS.items():
            params = clone.folder / "params.yaml"
            params.write_text(re.sub(r"snapshot: '[\d-]+'", f"snapshot: '{snapshot}'", params.read_text()))
            log = clone.dvc("repro")
            assert RUN.findall(log)
            clone.outs_of[tag] = outs(clone)
            clone.commit(tag, tag)
        assert clone.outs_of["data-v1"] != clone.outs_of["data-v2"]
        yield clone


@pytest.fixture(scope="module", params=["folder", "s3"])
def colleague(request, author, tmp_path_factory):
    """Clone B of A, on a machine of its own, which shares one remote with A and nothing else."""
    folder = tmp_path_factory.mktemp("remote")
    other = clone_of(author, folder / "colleague")
    if request.param == "folder":
        yield from shared(author, other, f"{folder}/store")
    else:
        with s3_server() as url:
            options = {"endpointurl": url, "region": "us-east-1"}
            yield from shared(author, other, f"s3://{BUCKET}/store", options)


def shared(author, other, url, options=None):
    """Configure the remote in both clones, push both versions from A; yield B."""
    for clone in (author, other):
        clone.environment |= CREDENTIALS if url.startswith("s3:") else {}
        clone.dvc("remote", "add", "--local", "--force", "--default", "store", url)
        for name, value in (options or {}).items():
            clone.dvc("remote", "modify", "--local", "store", name, value)
    author.dvc("push", "--run-cache", "--all-tags")
    yield other


def test_a_colleague_has_both_versions_without_running_a_stage(author, colleague):
    colleague.git("checkout", "-q", "--detach", "data-v2")
    colleague.dvc("pull", "--run-cache")
    assert_nothing_runs(colleague, colleague.dvc("repro"))
    assert outs(colleague) == author.outs_of["data-v2"]
    colleague.git("checkout", "-q", "data-v1")
    assert_nothing_runs(colleague, colleague.dvc("repro", "--pull"))
    assert outs(colleague) == author.outs_of["data-v1"]
    assert not colleague.git("status", "--porcelain")


def test_a_lost_lock_file_is_restored_from_the_shared_runs(author, colleague):
    colleague.git("checkout", "-q", "--force", "--detach", "data-v2")
    colleague.dvc("pull", "--run-cache")
    before = yaml.safe_load((colleague.folder / "dvc.lock").read_text())
    (colleague.folder / "dvc.lock").unlink()
    log = colleague.dvc("repro", "--pull")
    assert set(RUN.findall(log)) <= {"report"}, log  # its metrics are git's, so DVC keeps no run of it
    assert yaml.safe_load((colleague.folder / "dvc.lock").read_text()) == before


@pytest.mark.parametrize("module", ["src/debugset/retention.py", "src/debugset/picks.py"])
def test_an_edited_module_reruns_the_stages_that_import_it_alone(colleague, module):
    colleague.git("checkout", "-q", "--force", "--detach", "data-v2")
    colleague.dvc("pull", "--run-cache")
    commands = yaml.safe_load((colleague.folder / "dvc.lock").read_text())["stages"]
    importing = {
        name for name, entry in commands.items() if module in closure(colleague.folder, entry_module(entry["cmd"]))
    }
    assert 0 < len(importing) < len(commands)
    with (colleague.folder / module).open("a") as file:
        file.write("\n# edited by a colleague\n")
    log = colleague.dvc("repro")
    assert set(RUN.findall(log)) == importing, log
    assert set(DONE.findall(log)) == set(commands) - importing


def test_metrics_params_and_plots_differ_between_the_versions(author, tmp_path):
    old, new = (at(author, tag, "metrics/pool.json") for tag in SNAPSHOTS)
    assert new["images"] > old["images"]
    differences = json.loads(author.dvc("metrics", "diff", *SNAPSHOTS, "--json"))["diff"]
    shown = differences["metrics/pool.json"]["images"]
    assert (shown["old"], shown["new"], shown["diff"]) == (old["images"], new["images"], new["images"] - old["images"])
    accuracies = [at(author, tag, "metrics/summary.json")["heldout"]["dcd-standard"] for tag in SNAPSHOTS]
    shown = differences.get("metrics/summary.json", {}).get("heldout.dcd-standard")
    assert [shown["old"], shown["new"]] == accuracies if shown else accuracies[0] == accuracies[1]
    params = json.loads(author.dvc("params", "diff", *SNAPSHOTS, "--json"))
    assert params == {"params.yaml": {"scrape.snapshot": dict(zip(("old", "new"), SNAPSHOTS.values(), strict=True))}}
    author.dvc("plots", "diff", *SNAPSHOTS, "--out", str(tmp_path / "page"))
    pictures = {path.name for path in (tmp_path / "page" / "static").iterdir()}
    assert {f"{tag}_plots_accuracy.png" for tag in SNAPSHOTS} <= {name.replace("/", "_") for name in pictures}


def test_data_diff_counts_what_the_later_snapshot_added(author, tmp_path):
    picture, table = tmp_path / "difference.png", tmp_path / "images.csv"
    command = ("python", "-m", "debugset.cli", "data-diff", *SNAPSHOTS, "--picture", picture, "--csv", table)
    printed = author.succeed(*map(str, command), PYTHONPATH="src")
    old, new = (at(author, tag, "metrics/pool.json")["images"] for tag in SNAPSHOTS)
    changed = pd.read_csv(table, keep_default_na=False)
    assert set(changed["change"]) == {"added"}  # a later snapshot of a pool is a superset
    assert len(changed) == new - old
    *_, total, _, _ = printed.splitlines()
    assert total.split()[3:] == [str(old), str(new - old), "0", "0", "0", "0", str(new)]
    with Image.open(picture) as drawn:
        assert drawn.width > drawn.height > 300


def test_data_diff_names_what_is_not_there(author):
    for arguments, told in (
        (["nowhere", "data-v2"], "nowhere: git knows no such tag"),
        (["data-v1", "data-v2", "--set", "data/sets/none"], "data-v1: data/sets/none/manifest.parquet is not in this"),
    ):
        done = author.run("python", "-m", "debugset.cli", "data-diff", *arguments, PYTHONPATH="src")
        assert done.returncode == 1
        assert done.stdout.startswith(f"error: {told}"), done.stdout
        assert done.stdout.count("\n") == 1


def test_the_old_data_come_back_without_a_run(author):
    author.git("checkout", "-q", "data-v1")
    try:
        author.dvc("checkout")
        assert outs(author) == author.outs_of["data-v1"]
        assert "up to date" in author.dvc("status")
    finally:
        author.git("checkout", "-q", "main")
        author.dvc("checkout")
    assert outs(author) == author.outs_of["data-v2"]


def test_collecting_garbage_of_all_tags_keeps_both_versions_and_of_the_workspace_loses_one(author, tmp_path):
    cache = author.folder / ".dvc" / "cache"
    shutil.copytree(cache, tmp_path / "cache")
    author.dvc("cache", "dir", "--local", str(tmp_path / "cache"))
    try:
        author.dvc("gc", "--all-branches", "--all-tags", "--force")
        author.git("checkout", "-q", "data-v1")
        author.dvc("checkout")
        author.git("checkout", "-q", "main")
        author.dvc("checkout")
        author.dvc("gc", "--workspace", "--force")
        author.git("checkout", "-q", "data-v1")
        assert author.run("dvc", "checkout").returncode != 0
    finally:
        author.dvc("config", "--local", "--unset", "cache.dir")
        author.git("checkout", "-q", "--force", "main")
        author.dvc("checkout")
    assert outs(author) == author.outs_of["data-v2"]


def test_credentials_are_in_no_file_of_the_project(author):
    config = (author.folder / ".dvc" / "config").read_text()
    tracked = author.git("ls-files").split()
    assert ".dvc/config" in tracked
    assert ".dvc/config.local" not in tracked
    assert not any(secret in config for secret in CREDENTIALS.values())
