"""A queued sweep by real DVC: every experiment runs the code it was queued with, and the picture comes of it."""

import json
import re

import pytest
import timm
import yaml
from safetensors.torch import save_file

from tests.pipeline.conftest import clone_of
from tests.pipeline.stage_rooms import covers

VALUES = ["1", "2"]
NAMES = [f"per-seed-{value}" for value in VALUES]


@pytest.fixture(scope="module")
def sweep(two_versions, tmp_path_factory):
    """A clone in which two experiments were queued by code that says so, and run by two workers after it changed."""
    clone = clone_of(two_versions, tmp_path_factory.mktemp("sweep") / "clone")
    clone.environment["DEBUGSET_SPOOL"] = two_versions.environment["DEBUGSET_SPOOL"]
    clone.dvc("cache", "dir", "--local", str(two_versions.folder / ".dvc" / "cache"))
    clone.dvc("checkout")
    module = clone.folder / "src" / "debugset" / "report" / "metrics.py"
    text = module.read_text()

    def says(word):
        assert text.count('"gain": {}') == 1
        module.write_text(text.replace('"gain": {}', f'"gain": {{}}, "code": "{word}"'))

    says("queued")
    for value, name in zip(VALUES, NAMES, strict=True):
        clone.dvc("exp", "run", "--queue", "-S", f"pick.per_seed={value}", "-n", name)
    says("later")
    clone.dvc("queue", "start", "-j", "2")  # until the workers end: they keep what it prints to open
    clone.log = clone.dvc("queue", "status")
    yield clone


def shown(clone, name, path):
    """A JSON file as an experiment has it."""
    ref = clone.git("for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}").strip()
    return clone.json_at(ref, path)


def test_both_experiments_succeed(sweep):
    assert sweep.log.count("Success") == len(VALUES), sweep.log


def test_each_ran_the_code_that_it_was_queued_with(sweep):
    assert {shown(sweep, name, "metrics/summary.json")["code"] for name in NAMES} == {"queued"}


def test_metrics_differ_where_they_must_and_nowhere_else(sweep):
    pools = [shown(sweep, name, "metrics/pool.json") for name in NAMES]
    added = [pool["added"]["dcd-original"] for pool in pools]
    assert added == sorted(set(added)), "more picks a seed are more images"
    assert len({pool["images"] for pool in pools}) == 1
    accuracies = [shown(sweep, name, "metrics/accuracy.json")["variants"] for name in NAMES]
    assert len({json.dumps(variants["retrain"]["test"]) for variants in accuracies}) == 1
    table = json.loads(sweep.dvc("exp", "show", "--json", "--only-changed"))
    assert set(NAMES) <= set(re.findall(r"per-seed-\d", json.dumps(table)))


def test_the_sweep_is_drawn(sweep, tmp_path):
    command = ["python", "-m", "debugset.cli", "versions", "sweep", *NAMES, "--picture", str(tmp_path / "sweep.png")]
    printed = sweep.succeed(*command, PYTHONPATH="src")
    accuracies = [shown(sweep, name, "metrics/accuracy.json")["variants"] for name in NAMES]
    heldout = [variants["dcd-original"]["heldout"] for variants in accuracies]
    rows = [line.split() for line in printed.splitlines() if "dcd-original" in line]
    assert [(row[1], row[3]) for row in rows] == [
        (value, f"{100 * cell['accuracy']:.1f}") for value, cell in zip(VALUES, heldout, strict=True)
    ]
    assert (tmp_path / "sweep.png").stat().st_size > 0


def downstream(clone, stage):
    """A stage and all that read what it wrote, or what those wrote."""
    entries = yaml.safe_load((clone.folder / "dvc.lock").read_text())["stages"]
    reached, before = {stage}, set()
    while reached != before:
        before = set(reached)
        written = [out["path"] for name in reached for out in entries[name]["outs"]]
        for name, entry in entries.items():
            if any(covers(out, dep["path"]) for out in written for dep in entry["deps"]):
                reached.add(name)
    return reached


def test_an_ablation_of_the_embedder_is_one_command_and_runs_what_depends_on_it_alone(sweep, tmp_path):
    sweep.git("checkout", "-q", "--", ".")
    sweep.dvc("checkout")
    save_file(timm.create_model("test_vit", num_classes=0).state_dict(), tmp_path / "vit.safetensors")
    values = ["embedders.foundation=test_vit", "embedders.foundation_file=vit.safetensors"]
    options = [word for value in values for word in ("-S", value)]
    log = sweep.dvc("exp", "run", *options, "-n", "another-embedder", DEBUGSET_WEIGHTS=str(tmp_path))
    ran = set(re.findall(r"Running stage '([^']+)'", log))
    assert {"model-foundation", "embed@foundation", "pick@foundation", "report"} <= ran
    assert ran <= downstream(sweep, "model-foundation")
    before = sweep.json_at("HEAD", "metrics/retention.json")
    assert shown(sweep, "another-embedder", "metrics/retention.json") != before


def test_an_experiment_is_applied_and_promoted(sweep):
    sweep.git("checkout", "-q", "--", ".")
    sweep.dvc("exp", "branch", "per-seed-2", "more-picks")
    assert "more-picks" in sweep.git("branch", "--list")
    sweep.dvc("exp", "apply", "per-seed-1")
    assert "per_seed: 1" in (sweep.folder / "params.yaml").read_text()
    written = json.loads((sweep.folder / "metrics" / "pool.json").read_text())
    assert written == shown(sweep, "per-seed-1", "metrics/pool.json")
