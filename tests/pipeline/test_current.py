"""The check that results belong to the code and parameters beside them, in copies of this repository without data."""

import re
import sys

import pytest

from tests.pipeline.conftest import ROOT, make_clone


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A clone with this repository's own params, and no data."""
    return make_clone(tmp_path_factory.mktemp("current"), ROOT / "params.yaml")


@pytest.fixture
def check(clone):
    """Run the check with a file changed by a function of its text; what it printed, after its exit code."""

    def run(name=None, change=None):
        path = clone.folder / (name or "params.yaml")
        text = path.read_text()
        try:
            if name:
                assert change(text) != text
                path.write_text(change(text))
            done = clone.run(sys.executable, "-m", "tools.current")
        finally:
            path.write_text(text)
        return done.returncode, done.stdout

    return run


def stale(printed):
    """The stages that the check names; every line says the mend."""
    lines = printed.splitlines()
    assert all(line.startswith("error: ") and "run `make repro`, commit what it changed" in line for line in lines), (
        printed
    )
    return re.findall(r"stage `(\S+)` would run", printed)


def test_the_committed_lock_file_is_current(check):
    assert check() == (0, "")


def test_a_changed_parameter_names_the_stage(check):
    code, printed = check("params.yaml", lambda text: text.replace("per_seed: 6", "per_seed: 5"))
    assert code == 1
    assert "pick@deval" in stale(printed)


def test_a_changed_module_names_the_stage(check):
    code, printed = check("src/debugset/dcd/retention.py", lambda text: text + "\n# edited\n")
    assert code == 1
    assert "retention" in stale(printed)


def test_metrics_of_another_run_are_named(check):
    code, printed = check("metrics/pool.json", lambda text: text.replace('"found": ', '"found": 1'))
    assert code == 1
    assert "error: metrics/pool.json: differs from what dvc.lock records; run `make repro`" in printed


def test_a_cpu_recorded_for_other_outs_is_told(check):
    code, printed = check("docs/results/made_on.json", lambda text: text.replace('"outs": "', '"outs": "0'))
    assert code == 1
    assert printed.startswith("error: docs/results/made_on.json: is of other outs than dvc.lock's; run `make repro`")


def test_a_table_of_other_numbers_is_named(check):
    end = "<!-- end of table -->"
    code, printed = check("README.md", lambda text: text.replace(end, f"| 1 |\n{end}"))
    assert code == 1
    assert printed.startswith(
        "error: README.md: table `table` is not what the five random states say; run `make results`"
    )


def test_a_missing_lock_file_is_told(clone, check):
    path = clone.folder / "dvc.lock"
    path.rename(clone.folder / "away")
    try:
        code, printed = check()
    finally:
        (clone.folder / "away").rename(path)
    assert code == 1
    assert "dvc.lock: no such file" in printed
