"""Two data versions, shared through a remote: a colleague's clone has both without running a stage."""

import json
import re
import shutil
from contextlib import contextmanager

import pandas as pd
import pytest
import yaml
from PIL import Image

from tests.pipeline.conftest import clone_of
from tests.pipeline.moto import BUCKET, CREDENTIALS, s3_server
from tests.pipeline.snapshots import SNAPSHOTS, outs
from tests.pipeline.ssh_server import ssh_server
from tests.pipeline.stage_rooms import closure, entry_module

DONE = re.compile(r"tage:? '([^']+)'(?: didn't change, skipping| is cached - skipping run|\n)")  # or "Pulling data for"
RUN = re.compile(r"Running stage '([^']+)'")


def stages(clone):
    """The names of the clone's resolved stages."""
    return set(clone.dvc("stage", "list", "--name-only").split())


def assert_nothing_runs(clone, log):
    """DVC says of every stage that it need not run."""
    assert not RUN.findall(log), log
    assert set(DONE.findall(log)) == stages(clone), log


@contextmanager
def remote(kind, folder):
    """Yield a remote's address, the options of its configuration and the environment that it needs."""
    if kind == "folder":
        yield f"{folder}/store", {}, {}
    elif kind == "s3":
        with s3_server() as url:
            yield f"s3://{BUCKET}/store", {"endpointurl": url, "region": "us-east-1"}, CREDENTIALS
    else:
        with ssh_server(folder) as (address, key):
            yield f"ssh://colleague@{address}{folder}/store", {"keyfile": key}, {}


@contextmanager
def sharing(kind, two_versions, folder):
    """Clone B of A, on a machine of its own; it shares one remote with A, to which A pushed both versions."""
    other = clone_of(two_versions, folder / "colleague")
    with remote(kind, folder) as (url, options, environment):
        for clone in (two_versions, other):
            clone.environment |= environment
            clone.dvc("remote", "add", "--local", "--force", "--default", "store", url)
            for name, value in options.items():
                clone.dvc("remote", "modify", "--local", "store", name, value)
        two_versions.dvc("push", "--run-cache", "--all-tags")
        yield other


@pytest.fixture(scope="module")
def colleague(two_versions, tmp_path_factory):
    """Clone B, by a remote that is a folder."""
    with sharing("folder", two_versions, tmp_path_factory.mktemp("folder")) as other:
        yield other


@pytest.fixture(scope="module", params=["s3", "ssh"])
def distant(request, two_versions, tmp_path_factory):
    """Clone B, by a remote behind a network protocol."""
    with sharing(request.param, two_versions, tmp_path_factory.mktemp(request.param)) as other:
        yield other


def assert_both_versions_come_without_a_run(two_versions, other):
    other.git("checkout", "-q", "--detach", "data-v2")
    other.dvc("pull", "--run-cache")
    assert_nothing_runs(other, other.dvc("repro"))
    assert outs(other) == two_versions.outs_of["data-v2"]
    other.git("checkout", "-q", "data-v1")
    assert_nothing_runs(other, other.dvc("repro", "--pull"))
    assert outs(other) == two_versions.outs_of["data-v1"]
    assert not other.git("status", "--porcelain")


def assert_an_edit_runs_the_stages_that_import_it_alone(other, module):
    other.git("checkout", "-q", "--force", "--detach", "data-v2")
    other.dvc("pull", "--run-cache")
    commands = yaml.safe_load((other.folder / "dvc.lock").read_text())["stages"]
    importing = {
        name for name, entry in commands.items() if module in closure(other.folder, entry_module(entry["cmd"]))
    }
    assert 0 < len(importing) < len(commands)
    with (other.folder / module).open("a") as file:
        file.write("\n# edited by a colleague\n")
    log = other.dvc("repro")
    assert set(RUN.findall(log)) == importing, log
    assert set(DONE.findall(log)) == set(commands) - importing


def test_a_colleague_has_both_versions_without_running_a_stage(two_versions, colleague):
    assert_both_versions_come_without_a_run(two_versions, colleague)


@pytest.mark.parametrize("module", ["src/debugset/dcd/retention.py", "src/debugset/dcd/picks.py"])
def test_an_edited_module_reruns_the_stages_that_import_it_alone(colleague, module):
    assert_an_edit_runs_the_stages_that_import_it_alone(colleague, module)


def test_the_same_by_s3_and_by_ssh(two_versions, distant):
    assert_both_versions_come_without_a_run(two_versions, distant)
    shown = json.loads(distant.dvc("metrics", "diff", *SNAPSHOTS, "--json"))["metrics/pool.json"]["images"]
    assert [shown["old"], shown["new"]] == [
        two_versions.json_at(tag, "metrics/pool.json")["images"] for tag in SNAPSHOTS
    ]
    assert_an_edit_runs_the_stages_that_import_it_alone(distant, "src/debugset/dcd/picks.py")


def test_a_lost_lock_file_is_restored_from_the_shared_runs(two_versions, colleague):
    colleague.git("checkout", "-q", "--force", "--detach", "data-v2")
    colleague.dvc("pull", "--run-cache")
    before = yaml.safe_load((colleague.folder / "dvc.lock").read_text())
    (colleague.folder / "dvc.lock").unlink()
    log = colleague.dvc("repro", "--pull")
    assert set(RUN.findall(log)) <= {"report"}, log  # its metrics are git's, so DVC keeps no run of it
    assert yaml.safe_load((colleague.folder / "dvc.lock").read_text()) == before


def test_metrics_params_and_plots_differ_between_the_versions(two_versions, tmp_path):
    old, new = (two_versions.json_at(tag, "metrics/pool.json") for tag in SNAPSHOTS)
    assert new["images"] > old["images"]
    differences = json.loads(two_versions.dvc("metrics", "diff", *SNAPSHOTS, "--json"))
    shown = differences["metrics/pool.json"]["images"]
    assert (shown["old"], shown["new"], shown["diff"]) == (old["images"], new["images"], new["images"] - old["images"])
    accuracies = [two_versions.json_at(tag, "metrics/summary.json")["heldout"]["dcd-original"] for tag in SNAPSHOTS]
    shown = differences.get("metrics/summary.json", {}).get("heldout.dcd-original")
    assert [shown["old"], shown["new"]] == accuracies if shown else accuracies[0] == accuracies[1]
    params = json.loads(two_versions.dvc("params", "diff", *SNAPSHOTS, "--json"))
    assert params == {"params.yaml": {"scrape.snapshot": dict(zip(("old", "new"), SNAPSHOTS.values(), strict=True))}}
    two_versions.dvc("plots", "diff", *SNAPSHOTS, "--out", str(tmp_path / "page"))
    pictures = {path.name for path in (tmp_path / "page" / "static").iterdir()}
    assert {f"{tag}_plots_accuracy.png" for tag in SNAPSHOTS} <= {name.replace("/", "_") for name in pictures}


def test_data_diff_counts_what_the_later_snapshot_added(two_versions, tmp_path):
    picture, table = tmp_path / "difference.png", tmp_path / "images.csv"
    command = ("python", "-m", "debugset.cli", "versions", "diff", *SNAPSHOTS, "--picture", picture, "--csv", table)
    printed = two_versions.succeed(*map(str, command), PYTHONPATH="src")
    old, new = (two_versions.json_at(tag, "metrics/pool.json")["images"] for tag in SNAPSHOTS)
    changed = pd.read_csv(table, keep_default_na=False)
    assert set(changed["change"]) == {"added"}  # a later snapshot of a pool is a superset
    assert len(changed) == new - old
    *_, total, _, _ = printed.splitlines()
    assert total.split()[3:] == [str(old), str(new - old), "0", "0", "0", "0", str(new)]
    with Image.open(picture) as drawn:
        assert drawn.width > drawn.height > 300


def test_data_diff_names_what_is_not_there(two_versions):
    for arguments, told in (
        (["nowhere", "data-v2"], "nowhere: git knows no such tag"),
        (["data-v1", "data-v2", "--set", "data/sets/none"], "data-v1: data/sets/none/manifest.parquet is not in this"),
    ):
        done = two_versions.run("python", "-m", "debugset.cli", "versions", "diff", *arguments, PYTHONPATH="src")
        assert done.returncode == 1
        assert done.stdout.startswith(f"error: {told}"), done.stdout
        assert done.stdout.count("\n") == 1


def test_data_diff_without_the_data_says_so(two_versions, tmp_path):
    clone = clone_of(two_versions, tmp_path / "clone")
    done = clone.run("python", "-m", "debugset.cli", "versions", "diff", *SNAPSHOTS, PYTHONPATH="src")
    assert done.returncode == 1
    assert done.stdout.startswith("error: data-v1: data/pool/manifest.parquet is not in this version, or neither in")
    assert done.stdout.count("\n") == 1


def test_the_old_data_come_back_without_a_run(two_versions):
    two_versions.git("checkout", "-q", "data-v1")
    try:
        two_versions.dvc("checkout")
        assert outs(two_versions) == two_versions.outs_of["data-v1"]
        assert "up to date" in two_versions.dvc("status")
    finally:
        two_versions.git("checkout", "-q", "main")
        two_versions.dvc("checkout")
    assert outs(two_versions) == two_versions.outs_of["data-v2"]


def test_make_data_versions_shows_all_of_it_in_a_scratch_clone(two_versions, tmp_path):
    head = two_versions.git("rev-parse", "HEAD", *SNAPSHOTS)
    try:
        log = two_versions.succeed("tools/data_versions", FOLDER=str(tmp_path / "scratch"))
        results = two_versions.folder / "docs" / "results" / "data-versions"
        old, new = (two_versions.json_at(tag, "metrics/pool.json")["images"] for tag in SNAPSHOTS)
        rows = [line.replace(" ", "").split("|") for line in (results / "metrics.md").read_text().splitlines()]
        assert ["", "images", str(old), str(new), str(new - old), ""] in rows
        assert all(snapshot in (results / "params.md").read_text() for snapshot in SNAPSHOTS.values())
        assert f"{new - old:,}" in (results / "images.txt").read_text().splitlines()[-2]
        assert set(RUN.findall(log)) <= {"report"}, "the checkout's cache has all else"
        assert "Data and pipelines are up to date." in log.split("$ git checkout -q data-v1")[1]
    finally:
        two_versions.git("checkout", "-q", "--", "docs")
    assert two_versions.git("rev-parse", "HEAD", *SNAPSHOTS) == head
    assert not two_versions.git("status", "--porcelain")
    assert (tmp_path / "scratch" / "debugset" / "plots-diff" / "index.html").is_file()
    again = two_versions.run("tools/data_versions", FOLDER=str(tmp_path / "scratch"))
    assert again.returncode == 1
    assert again.stdout.startswith("error: FOLDER: ")


def test_collecting_garbage_of_all_tags_keeps_both_versions_and_of_the_workspace_loses_one(two_versions, tmp_path):
    cache = two_versions.folder / ".dvc" / "cache"
    shutil.copytree(cache, tmp_path / "cache")
    two_versions.dvc("cache", "dir", "--local", str(tmp_path / "cache"))
    try:
        two_versions.dvc("gc", "--all-branches", "--all-tags", "--force")
        two_versions.git("checkout", "-q", "data-v1")
        two_versions.dvc("checkout")
        two_versions.git("checkout", "-q", "main")
        two_versions.dvc("checkout")
        two_versions.dvc("gc", "--workspace", "--force")
        two_versions.git("checkout", "-q", "data-v1")
        assert two_versions.run("dvc", "checkout").returncode != 0
    finally:
        two_versions.dvc("config", "--local", "--unset", "cache.dir")
        two_versions.git("checkout", "-q", "--force", "main")
        two_versions.dvc("checkout")
    assert outs(two_versions) == two_versions.outs_of["data-v2"]


def test_credentials_are_in_no_file_of_the_project(two_versions):
    config = (two_versions.folder / ".dvc" / "config").read_text()
    tracked = two_versions.git("ls-files").split()
    assert ".dvc/config" in tracked
    assert ".dvc/config.local" not in tracked
    assert not any(secret in config for secret in CREDENTIALS.values())
