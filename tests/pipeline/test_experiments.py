"""A queued sweep by real DVC: every experiment runs the code it was queued with, and the picture comes of it."""

import json
import re

import pytest

from tests.pipeline.conftest import clone_of

VALUES = ["1", "2", "3", "4"]
LOOKS = 300  # each takes DVC a second or more


@pytest.fixture(scope="module")
def sweep(tiny, tmp_path_factory):
    """A clone in which four experiments were queued by code that says so, and run by two workers after it changed."""
    clone = clone_of(tiny, tmp_path_factory.mktemp("sweep") / "clone")
    clone.environment["DEBUGSET_SPOOL"] = tiny.environment["DEBUGSET_SPOOL"]
    clone.dvc("cache", "dir", "--local", str(tiny.folder / ".dvc" / "cache"))
    clone.dvc("checkout")
    module = clone.folder / "src" / "debugset" / "report" / "metrics.py"
    text = module.read_text()

    def says(word):
        assert '"chosen": chosen,' in text
        module.write_text(text.replace('"chosen": chosen,', f'"chosen": chosen, "code": "{word}",'))

    says("queued")
    for value in VALUES:
        clone.dvc("exp", "run", "--queue", "-S", f"pick.per_seed={value}", "-n", f"per-seed-{value}")
    says("later")
    clone.dvc("queue", "start", "-j", "2")
    for _ in range(LOOKS):
        clone.log = clone.dvc("queue", "status")
        if not re.search("Queued|Running", clone.log):
            break
    clone.dvc("queue", "stop")
    yield clone


def shown(clone, value, path):
    """A JSON file as an experiment has it."""
    ref = clone.git("for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/per-seed-{value}").strip()
    return json.loads(clone.git("show", f"{ref}:{path}"))


def test_four_experiments_succeed(sweep):
    assert sweep.log.count("Success") == len(VALUES), sweep.log


def test_each_ran_the_code_that_it_was_queued_with(sweep):
    assert [shown(sweep, value, "metrics/summary.json")["code"] for value in VALUES] == ["queued"] * len(VALUES)


def test_metrics_differ_where_they_must_and_nowhere_else(sweep):
    pools = [shown(sweep, value, "metrics/pool.json") for value in VALUES]
    added = [pool["added"]["dcd-standard"] for pool in pools]
    assert added == sorted(set(added)), "more picks a seed are more images"
    assert len({pool["images"] for pool in pools}) == 1
    accuracies = [shown(sweep, value, "metrics/accuracy.json")["variants"] for value in VALUES]
    assert len({json.dumps(variants["retrain"]["test"]) for variants in accuracies}) == 1
    table = json.loads(sweep.dvc("exp", "show", "--json", "--only-changed"))
    assert {f"per-seed-{value}" for value in VALUES} <= set(re.findall(r"per-seed-\d", json.dumps(table)))


def test_the_sweep_is_drawn(sweep, tmp_path):
    names = [f"per-seed-{value}" for value in VALUES]
    command = ["python", "-m", "debugset.cli", "sweep-plot", *names, "--picture", str(tmp_path / "sweep.png")]
    printed = sweep.succeed(*command, PYTHONPATH="src")
    heldout = [shown(sweep, value, "metrics/accuracy.json")["variants"]["dcd-standard"]["heldout"] for value in VALUES]
    rows = [line.split() for line in printed.splitlines() if "dcd-standard" in line]
    assert [(row[1], row[3]) for row in rows] == [
        (value, f"{100 * cell['accuracy']:.1f}") for value, cell in zip(VALUES, heldout, strict=True)
    ]
    assert (tmp_path / "sweep.png").stat().st_size > 0


def test_an_experiment_is_applied_and_promoted(sweep):
    sweep.git("checkout", "-q", "--", ".")
    sweep.dvc("exp", "branch", "per-seed-2", "more-picks")
    assert "more-picks" in sweep.git("branch", "--list")
    sweep.dvc("exp", "apply", "per-seed-3")
    assert "per_seed: 3" in (sweep.folder / "params.yaml").read_text()
    written = json.loads((sweep.folder / "metrics" / "pool.json").read_text())
    assert written == shown(sweep, "3", "metrics/pool.json")
