"""The commands on top: what they print, what they write, how they fail."""

import json
import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from debugset.base.params import ParamsError
from debugset.cli import profiles
from debugset.images.sets import write_manifest
from tests.cli.conftest import CLASSES, IDENTITY, MANIFEST_COLUMNS, ROOT, replace

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1", "COLUMNS": "200"}
COMMANDS = {
    "": ["use", "check", "debug-classes", "show", "verify", "pool", "barlow", "relations", "study", "versions"],
    "pool": ["status", "give-up", "forget", "purge", "simulator"],
    "barlow": ["list", "mend"],
    "relations": ["template", "list", "collect"],
    "study": ["make", "answer", "score"],
    "versions": ["diff", "sweep"],
}
HEAVY = {"torch", "pandas", "numpy", "yaml", "ruamel.yaml", "aiohttp", "dvc", "matplotlib"}


def is_active(folder, name):
    return (folder / "params.yaml").read_text() == profiles.render(name)


@pytest.mark.parametrize("group", COMMANDS)
def test_help_names_the_commands_and_imports_nothing_heavy(group):
    arguments = [group, "--help"] if group else ["--help"]
    heavy = HEAVY if group else {*HEAVY, "pydantic"}  # which typer loads for a group
    code = (
        "import sys, debugset.cli.__main__ as cli\n"
        f"sys.argv = ['debugset', *{arguments}]\n"
        "try: cli.main()\n"
        f"finally: print(*{heavy} & set(sys.modules), file=sys.stderr)"
    )
    completed = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True)
    assert (completed.returncode, completed.stderr) == (0, "\n")
    listed = completed.stdout[completed.stdout.index("Commands") :].splitlines()
    assert [line.split()[1] for line in listed if line.startswith("│ ") and line[2] != " "] == COMMANDS[group]


def test_a_group_without_a_command_prints_its_help(debugset):
    assert "give-up" in debugset("pool", fails=True)


def test_use_writes_a_profile_over_committed_params(debugset):
    assert "profiles/smoke.yaml" in debugset("use", "smoke")
    assert is_active(debugset.folder, "smoke")


@pytest.mark.parametrize("target", ["profiles/fashion.yaml", "profiles/mine.yaml", "between.yaml"])
def test_use_overwrites_no_profile_through_a_link(debugset, target):
    folder, params = debugset.folder, debugset.folder / "params.yaml"
    (folder / "profiles/mine.yaml").write_text("train:\n  random_states: [1, 2]\n")
    (folder / "between.yaml").symlink_to("profiles/mine.yaml")
    params.unlink()
    params.symlink_to(target)
    before = params.read_text()
    told = "profiles/fashion.yaml" if "fashion" in target else "profiles/mine.yaml"
    for options in ([], ["--force"]):
        assert debugset("use", "smoke", *options, fails=True) == (
            f"error: params.yaml: is a link to {told}, which would be overwritten; remove the link"
        )
    assert params.read_text() == before
    params.unlink()
    debugset("use", "smoke")
    assert is_active(folder, "smoke")


def test_use_replaces_a_link_to_itself_and_follows_one_to_nothing(debugset):
    params = debugset.folder / "params.yaml"
    for target in ("params.yaml", "elsewhere.yaml"):
        params.unlink()
        params.symlink_to(target)
        debugset("use", "smoke")
        assert is_active(debugset.folder, "smoke")
    assert (debugset.folder / "elsewhere.yaml").is_file()


@pytest.mark.parametrize("setting", ["true", "input"])
def test_line_ends_that_git_turned_are_no_edits(debugset, setting):
    params = debugset.folder / "params.yaml"
    replace(params, "  random_states: [1]", "  random_states: [1, 2]")
    params.write_bytes(params.read_bytes().replace(b"\n", b"\r\n"))
    for command in (["config", "core.autocrlf", setting], [*IDENTITY, "commit", "-qam", "mine"]):
        subprocess.run(["git", *command], cwd=debugset.folder, check=True)
    assert b"\r\n" in params.read_bytes()
    debugset("use", "smoke")
    assert is_active(debugset.folder, "smoke")


def test_use_goes_on_from_another_profile_that_is_not_committed(debugset):
    debugset("use", "smoke")
    debugset("use", "fashion")
    assert is_active(debugset.folder, "fashion")


def test_use_refuses_to_lose_edits_unless_forced(debugset):
    params = debugset.folder / "params.yaml"
    replace(params, "skew: 0.9", "skew: 0.8")
    edited = params.read_bytes()
    assert "uncommitted edits" in debugset("use", "smoke", fails=True)
    assert params.read_bytes() == edited
    debugset("use", "smoke", "--force")
    assert is_active(debugset.folder, "smoke")


def test_use_replaces_edits_that_are_committed(debugset):
    replace(debugset.folder / "params.yaml", "skew: 0.9", "skew: 0.8")
    subprocess.run(["git", *IDENTITY, "commit", "-qam", "seed"], cwd=debugset.folder, check=True)
    debugset("use", "smoke")


def test_use_protects_edits_where_there_is_no_git_repository(debugset):
    shutil.rmtree(debugset.folder / ".git")
    debugset("use", "smoke")  # params.yaml equals a profile: nothing is lost
    replace(debugset.folder / "params.yaml", "skew: 0.9", "skew: 0.8")
    assert "uncommitted edits" in debugset("use", "smoke", fails=True)


def test_use_makes_missing_params(debugset):
    (debugset.folder / "params.yaml").unlink()
    debugset("use", "smoke")
    assert (debugset.folder / "params.yaml").is_file()


def test_use_writes_through_a_link_with_the_line_ends_of_its_file(debugset):
    params, target = debugset.folder / "params.yaml", debugset.folder / "mine.yaml"
    target.write_bytes(params.read_bytes().replace(b"\n", b"\r\n"))
    params.unlink()
    params.symlink_to("mine.yaml")
    debugset("use", "smoke")
    assert params.is_symlink()
    assert target.read_bytes() == profiles.render("smoke").encode().replace(b"\n", b"\r\n")
    assert "equals profiles/smoke.yaml" in debugset("check")


def test_use_takes_a_path(debugset):
    shutil.move(debugset.folder / "profiles/smoke.yaml", debugset.folder / "mine.yaml")
    assert "mine.yaml" in debugset("use", "mine.yaml")


def test_use_names_the_profiles_when_it_knows_none_of_that_name(debugset):
    error = debugset("use", "smok", fails=True)
    assert "smok: no such profile" in error
    assert "fashion" in error
    assert "smoke" in error


@pytest.mark.parametrize("command", [["check"], ["use", "params.yaml"], ["use", "params.yaml", "--force"]])
def test_an_invalid_file_is_refused_in_one_line(debugset, command):
    replace(debugset.folder / "params.yaml", "skew: 0.9", "skew: 9")
    assert "params.yaml: `prepare.skew`: " in debugset(*command, fails=True)


def test_check_says_which_profile_is_active(debugset):
    assert "equals profiles/fashion.yaml" in debugset("check")
    replace(debugset.folder / "params.yaml", "skew: 0.9", "skew: 0.8")
    assert "equals no profile" in debugset("check")


@pytest.mark.parametrize(
    "text",
    ["", "<<<<<<< HEAD", "[]", "{}", '{"variants": 3}', '{"variants": {"random": {"heldout": {"accuracy": null}}}}'],
)
def test_show_refuses_a_file_of_another_kind_in_one_line(debugset, text):
    (debugset.folder / "metrics").mkdir()
    (debugset.folder / "metrics/accuracy.json").write_text(text)
    mend = "restore it (`git checkout metrics/accuracy.json`), or run `dvc repro report`"
    assert debugset("show", fails=True) == f"error: metrics/accuracy.json: is not what stage report writes; {mend}"


@pytest.mark.parametrize("broken", ["pick: [4", "a: 1\na: 2\n", "- 1\n", None])
def test_a_broken_profile_stops_no_command_of_the_others(debugset, capsys, broken):
    path = debugset.folder / "profiles/broken.yaml"
    path.symlink_to("nowhere") if broken is None else path.write_text(broken)
    with pytest.raises(ParamsError) as told:
        profiles.render(path.relative_to(debugset.folder))
    replace(debugset.folder / "params.yaml", "skew: 0.9", "skew: 0.8")
    assert profiles.active() is None
    assert capsys.readouterr().err == f"passed over: {told.value}\n"
    assert "equals no profile" in debugset("check")
    debugset("use", "smoke", "--force")
    assert is_active(debugset.folder, "smoke")
    assert "equals profiles/smoke.yaml" in debugset("check")


@pytest.fixture
def predictions(debugset):
    """Recorded predictions on seed_source: of four images a class, class c is missed (c + 1) // 2 times."""
    rows = []
    for label in range(len(CLASSES)):
        for number in range(4):
            predicted = (label + 1) % 10 if number < (label + 1) // 2 else label
            rows.append(("original", 0, "seed_source", f"{label}-{number}", label, predicted))
            rows.append(("original", 0, "heldout_source", f"c{label}-{number}", label, (label + 1) % 10))
    frame = pd.DataFrame(rows, columns=["model", "random_state", "set", "image_id", "label", "predicted"])
    folder = debugset.folder / "data"
    (folder / "errors").mkdir(parents=True)
    (folder / "sets/seed_source").mkdir(parents=True)
    frame.to_parquet(folder / "errors/predictions.parquet")
    write_manifest(folder / "sets/seed_source", pd.DataFrame(columns=MANIFEST_COLUMNS), CLASSES)


def chosen(path):
    return yaml.safe_load(path.read_text())["errors"]["classes"]


@pytest.mark.usefixtures("predictions")
@pytest.mark.parametrize(
    ("options", "classes"),
    [
        ([], ["sandal", "shirt", "sneaker", "bag", "boot"]),
        (["--min-missed", "4"], ["sneaker", "bag", "boot"]),
        (["--least", "2"], ["sneaker", "bag"]),
        (["--least", "4"], ["sandal", "sneaker", "bag", "boot"]),
    ],
)
def test_debug_classes_are_written_to_params_and_profile(debugset, options, classes):
    params, profile = debugset.folder / "params.yaml", debugset.folder / "profiles/fashion.yaml"
    before = params.read_text().splitlines()
    printed = debugset("debug-classes", *options)
    assert all(name in printed for name in classes)
    assert chosen(params) == classes
    assert params.read_bytes() == profile.read_bytes()
    after = params.read_text().splitlines()
    assert [line for line in before if "#" in line or "classes" not in line] == [
        line for line in after if "#" in line or "classes" not in line
    ]
    assert sum(one != two for one, two in zip(before, after, strict=True)) == 1
    debugset("check")


@pytest.mark.usefixtures("predictions")
def test_debug_classes_are_written_to_a_profile_of_few_keys_too(debugset):
    debugset("use", "smoke")
    profile = debugset.folder / "profiles/smoke.yaml"
    before = profile.read_text()
    assert "wrote the debug classes to params.yaml and profiles/smoke.yaml" in debugset("debug-classes", "--least", "2")
    assert profile.read_text() == before.replace("classes: [pullover, sandal, shirt]", "classes: [sneaker, bag]")
    assert chosen(debugset.folder / "params.yaml") == ["sneaker", "bag"]
    assert "equals profiles/smoke.yaml" in debugset("check")


@pytest.mark.usefixtures("predictions")
def test_debug_classes_leave_profiles_alone_when_none_is_active(debugset):
    replace(debugset.folder / "params.yaml", "skew: 0.9", "skew: 0.8")
    before = (debugset.folder / "profiles/fashion.yaml").read_bytes()
    assert "no profile was changed" in debugset("debug-classes", "--least", "1")
    assert chosen(debugset.folder / "params.yaml") == ["sneaker"]
    assert (debugset.folder / "profiles/fashion.yaml").read_bytes() == before


@pytest.mark.usefixtures("predictions")
def test_debug_classes_say_what_is_wrong(debugset):
    before = (debugset.folder / "params.yaml").read_bytes()
    assert "no class has that many" in debugset("debug-classes", "--min-missed", "99", fails=True)
    told = debugset("debug-classes", "--least", "11", fails=True)
    assert "--least 11: only 10 classes have images; lower it" in told
    (debugset.folder / "data/errors/predictions.parquet").unlink()
    assert "dvc repro errors" in debugset("debug-classes", fails=True)
    assert (debugset.folder / "params.yaml").read_bytes() == before


ACCURACY = {
    "dcd-foundation": {"heldout": {"accuracy": 0.4285, "low": 0.31, "high": 0.5512, "images": 70}},
    "original": {"heldout": {"accuracy": 0.0, "low": 0.0, "high": 0.0, "images": 70}},
}


def test_show_prints_the_table_the_choice_and_the_report(debugset):
    assert "run `dvc repro`" in debugset("show", fails=True)
    for path in (debugset.folder / "metrics/accuracy.json", debugset.folder / "report/index.html"):
        path.parent.mkdir()
        path.write_text(json.dumps({"variants": ACCURACY, "chosen": "dcd-foundation"}))
    printed = debugset("show")
    assert "31.0 to 55.1" in printed
    assert "Chosen by de-val: dcd-foundation" in printed
    assert f"Report: {debugset.folder}/report/index.html" in printed


def test_a_failure_is_one_line_on_stderr_and_exit_code_1(tmp_path):
    command = [sys.executable, "-m", "debugset.cli", "show"]
    completed = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert completed.returncode == 1
    assert completed.stderr == "error: metrics/accuracy.json: no results yet; run `dvc repro`\n"
