"""``debugset versions``: a sweep is drawn and printed; data versions are compared in tests/pipeline/test_sharing.py."""

import json
import subprocess

import pytest

from tests.cli.conftest import IDENTITY, replace


@pytest.fixture
def sweep(debugset):
    """Two tagged experiments that differ in the picks a seed, with their accuracies."""
    cell = {"low": 0.25, "high": 0.75, "images": 70}
    for name, accuracy in {"six": 0.5, "four": 0.375}.items():
        variants = {variant: {"heldout": {"accuracy": accuracy} | cell} for variant in ("random", "dcd-original")}
        (debugset.folder / "metrics").mkdir(exist_ok=True)
        (debugset.folder / "metrics/accuracy.json").write_text(json.dumps({"variants": variants}))
        if name == "four":
            replace(debugset.folder / "params.yaml", "per_seed: 6", "per_seed: 4")
        for command in (["add", "-A"], [*IDENTITY, "commit", "-qm", name], ["tag", name]):
            subprocess.run(["git", *command], check=True)
    return debugset


def test_a_sweep_is_drawn_and_printed_by_the_parameter_that_differs(sweep):
    heading, *rows, drew = sweep("versions", "sweep", "six", "four", "--variant", "random").splitlines()
    assert "pick.per_seed" in heading.split()
    assert [(row.split()[0], "random" in row) for row in rows] == [("four", True), ("six", True)]
    assert ("37.5" in rows[0], "50.0" in rows[1]) == (True, True)
    assert drew == "drew sweep.png"
    assert (sweep.folder / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_a_variant_that_no_experiment_has_is_refused(sweep):
    error = sweep("versions", "sweep", "six", "four", "--variant", "retrain", fails=True)
    assert "--variant retrain: no experiment has it; choose from " in error
    assert not (sweep.folder / "sweep.png").exists()


def test_a_revision_that_git_does_not_know_is_refused(debugset):
    assert "nowhere: " in debugset("versions", "diff", "nowhere", fails=True)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"variants": {"random": {"heldout": 0.5}}}'])
def test_an_experiment_with_broken_accuracies_is_named(sweep, text):
    (sweep.folder / "metrics/accuracy.json").write_text(text or "\n")
    for command in ([*IDENTITY, "commit", "-qam", "broken"], ["tag", "broken"]):
        subprocess.run(["git", *command], check=True)
    mend = "leave it out, or run it to its end and commit that"
    error = sweep("versions", "sweep", "six", "broken", fails=True)
    assert error == f"error: broken: metrics/accuracy.json: is not what stage report writes; {mend}"
