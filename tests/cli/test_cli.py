"""The command ``debugset`` in a git repository: what it prints, what it writes, how it fails."""

import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import yaml

from debugset.cli.__main__ import main
from debugset.images.sets import write_manifest
from debugset.report.text_table import accuracy_table

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1", "COLUMNS": "200"}
IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]


@pytest.fixture
def debugset(tmp_path, monkeypatch, capsys):
    """Run `debugset` in a repository that holds the profiles, fashion being the committed params.yaml."""
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    shutil.copy(ROOT / "profiles" / "fashion.yaml", tmp_path / "params.yaml")
    for command in (["init", "-q"], ["add", "-A"], [*IDENTITY, "commit", "-qm", "start"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)

    def run(*arguments, fails=False):
        monkeypatch.setattr(sys, "argv", ["debugset", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        if not fails:
            assert end.value.code == 0
            return capsys.readouterr().out
        error = end.value.code  # text ends on stderr, with exit code 1
        assert error.startswith("error: ")
        assert "\n" not in error
        return error

    run.folder = tmp_path
    return run


def replace(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def is_active(folder, name):
    return (folder / "params.yaml").read_bytes() == (folder / "profiles" / f"{name}.yaml").read_bytes()


COMMANDS = ("use", "check", "debug-classes", "flickr-simulator", "show", "scrape-status", "give-up", "forget", "purge")
COMMANDS += ("data-diff", "sweep-plot", "mend", "collect", "relations-template")


def test_help_names_the_commands_and_imports_nothing_heavy(debugset):
    help_ = debugset("--help")
    assert all(name in help_ for name in COMMANDS)
    heavy = "{'torch', 'pandas', 'numpy', 'pydantic', 'yaml'}"
    code = f"import sys, debugset.cli.__main__; print(*{heavy} & set(sys.modules))"
    completed = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, text=True)
    assert completed.stdout.split() == [], completed.stderr


def test_use_copies_a_profile_over_committed_params(debugset):
    assert "profiles/smoke.yaml" in debugset("use", "smoke")
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


@pytest.fixture
def predictions(debugset):
    """Recorded predictions on seed_source: of four images a class, class c is missed (c + 1) // 2 times."""
    classes = ["tshirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"]
    rows = []
    for label in range(len(classes)):
        for number in range(4):
            predicted = (label + 1) % 10 if number < (label + 1) // 2 else label
            rows.append(("original", 0, "seed_source", f"{label}-{number}", label, predicted))
            rows.append(("original", 0, "heldout_source", f"c{label}-{number}", label, (label + 1) % 10))
    frame = pd.DataFrame(rows, columns=["model", "random_state", "set", "image_id", "label", "predicted"])
    folder = debugset.folder / "data"
    (folder / "errors").mkdir(parents=True)
    (folder / "sets/seed_source").mkdir(parents=True)
    frame.to_parquet(folder / "errors/predictions.parquet")
    columns = ["id", "label", "sha256", "width", "height", "shard", "offset", "size"]
    write_manifest(folder / "sets/seed_source", pd.DataFrame(columns=columns), classes)


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
    assert "10 classes" in debugset("debug-classes", "--least", "11", fails=True)
    (debugset.folder / "data/errors/predictions.parquet").unlink()
    assert "dvc repro errors" in debugset("debug-classes", fails=True)
    assert (debugset.folder / "params.yaml").read_bytes() == before


VALUES = {"held-out": "42.9", "test (all)": "90.0", "de-val": "100.0", "held-out 95 %": "31.0 to 55.1"}
ACCURACY = {
    "dcd-foundation": {
        "deval": {"accuracy": 1.0, "low": 1.0, "high": 1.0, "images": 9},
        "heldout": {"accuracy": 0.4285, "low": 0.31, "high": 0.5512, "images": 70},
        "test_all": {"accuracy": 0.9, "low": 0.8, "high": 0.95, "images": 70},
    },
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


def test_the_table_has_a_row_a_variant_and_a_column_a_set():
    head, original, dcd, note = accuracy_table(ACCURACY).splitlines()
    columns = [text.strip() for text in head.split("  ") if text.strip()]
    assert columns[0] == "accuracy, %"
    assert set(columns[1:]) == {"held-out", "test (all)", "de-val", "held-out 95 %"}
    of = {name: columns.index(name) for name in columns}
    cells = [text.strip() for text in dcd.split("  ") if text.strip()]
    assert cells[0] == "dcd-foundation"
    assert [cells[of[name]] for name in columns[1:]] == [VALUES[name] for name in columns[1:]]
    assert original.split()[0] == "original"
    assert original.split().count("-") == 2
    assert len({len(line) for line in (head, original, dcd)}) == 1
    assert "debug classes" in note


def test_a_failure_is_one_line_on_stderr_and_exit_code_1(tmp_path):
    command = [sys.executable, "-m", "debugset.cli", "show"]
    completed = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert completed.returncode == 1
    assert completed.stderr == "error: metrics/accuracy.json: no results yet; run `dvc repro`\n"


def test_the_simulator_serves_until_interrupted(debugset):
    columns = ["id", "label", "sha256", "width", "height", "shard", "offset", "size"]
    more = ["uploaded", "owner", "owner_name", "licence", "title", "tags", "secret", "server"]
    world = debugset.folder / "world"
    world.mkdir()
    write_manifest(world, pd.DataFrame(columns=[*columns, *more]), ["bag"])
    command = [sys.executable, "-m", "debugset.cli", "flickr-simulator", "--world", str(world)]
    # a shell that runs the tests in the background has them ignore interrupts, which a child would inherit
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, preexec_fn=heed) as process:
        try:
            url = json.loads(process.stdout.readline())["url"]
            assert url.startswith("http://127.0.0.1:")
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_the_simulator_s_missing_world_is_one_line(debugset):
    assert "no such image set" in debugset("flickr-simulator", "--world", "nowhere", fails=True)


@pytest.fixture
def modes(debugset):
    """Two failure modes as stage barlow writes them, of a debug class and of another one."""
    rows = [("label-coat-1", 4, True), ("label-boot-1", 9, False)]
    shared = {"error_rate": 0.8, "base_error_rate": 0.4, "error_coverage": 0.7, "heldout_error_rate": 0.75}
    table = [{"mode": name, "class": label, "words": "feature[3] < 0.5", "holds": holds} for name, label, holds in rows]
    members = [
        {"mode": name, "image_id": f"{name}-{half}-{inside}-{failed}", "label": label, "half": half, "inside": inside,
         "failed": failed}
        for name, label, _ in rows for half in ("discovery", "heldout") for inside in (True, False)
        for failed in (True, False)
    ]  # fmt: skip
    folder = debugset.folder / "data/barlow"
    folder.mkdir(parents=True)
    pd.DataFrame(table).assign(**shared).to_parquet(folder / "modes.parquet")
    pd.DataFrame(members).to_parquet(folder / "members.parquet")
    columns = ["id", "label", "sha256", "width", "height", "shard", "offset", "size"]
    (debugset.folder / "data/sets/diagnosis").mkdir(parents=True)
    classes = ("tshirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
    write_manifest(debugset.folder / "data/sets/diagnosis", pd.DataFrame(columns=columns), classes)
    shutil.copy(ROOT / "errors.modes", debugset.folder)
    return debugset


def test_mend_writes_the_failures_lists_modes_and_forgets_them(modes):
    before = (modes.folder / "errors.modes").read_text()
    assert "wrote 1 failures to errors.modes" in modes("mend", "label-coat-1")
    lines = (modes.folder / "errors.modes").read_text().splitlines()
    assert lines[-1] == "label-coat-1,coat,label-coat-1-discovery-True-True"
    assert len(lines) == 3
    listed = modes("mend").splitlines()
    assert listed[1].split()[:3] == ["label-coat-1", "*", "80"]
    assert "does not hold" in listed[2]
    modes("mend", "--none")
    assert (modes.folder / "errors.modes").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["label-hat-1"], "label-hat-1: is no failure mode"),
        (["label-boot-1"], "label-boot-1: none of its failures is of a debug class; add classes to `errors.classes`"),
        (["label-coat-1", "--none"], "--none and MODE exclude each other"),
    ],
)
def test_mend_says_what_is_wrong_and_writes_nothing(modes, arguments, message):
    before = (modes.folder / "errors.modes").read_bytes()
    assert message in modes("mend", *arguments, fails=True)
    assert (modes.folder / "errors.modes").read_bytes() == before


def test_mend_needs_a_run(debugset):
    assert "no failure modes yet; run `dvc repro`" in debugset("mend", "label-coat-1", fails=True)


@pytest.fixture
def relations(debugset):
    """A diagnosis with two networks, as stage relations writes it: three failure modes, one of which no image shows."""
    flaws = [
        ("000", "sandal", "footwear", "positive", "+-", 5.4, 0.65, 0.2),
        ("001", "bag", "sandal", "unrelated", "-+", 6.9, 0.58, 0.1549),
        ("001", "sandal", "footwear", "positive", "+-", 2.6, 0.43, float("nan")),
        ("001", "bag", "footwear", "unrelated", "-+", 1.6, 0.43, 0.02),
    ]
    columns = ["run", "attribute_a", "attribute_b", "relation", "mode", "kl", "mean", "decrease"]
    table = pd.DataFrame(flaws, columns=columns).assign(rank=1, kind="failure mode", images=9, method="relations")
    table = table.assign(test_images=[4, 4, 0, 4])
    attributes = {"bag": [1, 1, -1], "sandal": [1, -1, 1], "footwear": [1, 1, 1]}
    runs = {"name": ["000", "001"], "attribute_a": ["", "bag"], "attribute_b": ["", "sandal"], "tau": [0.0, 0.9]}
    (debugset.folder / "data/relations").mkdir(parents=True)
    (debugset.folder / "data/attributed/train").mkdir(parents=True)
    table.drop(columns=["decrease", "method", "test_images"]).to_parquet("data/relations/pairs.parquet")
    table.drop(columns=["kl", "mean", "rank", "kind", "images"]).to_parquet("data/relations/modes.parquet")
    pd.DataFrame(runs).assign(random_state=0, images=9).to_parquet("data/relations/runs.parquet")
    rows = pd.DataFrame(attributes).add_prefix("attribute:").assign(id=list("abc"), label=0, sha256="", width=1)
    rows = rows.assign(height=1, shard="0.tar", offset=0, size=0)
    write_manifest(debugset.folder / "data/attributed/train", rows, ["image"])
    return debugset


def test_collect_lists_prints_and_writes_queries(relations):
    params = relations.folder / "params.yaml"
    before = params.read_text()
    title, _, *modes, others = relations("collect").splitlines()
    assert title == "run 001: random state 0, bag-sandal at tau 0.9"  # the unbiased one's mode has no image
    assert [line.split()[0] for line in modes] == ["sandal+footwear-", "bag-sandal+", "bag-footwear+"]
    assert "no annotated image is of it" in modes[0]
    assert modes[1].split()[1:] == ["unrelated", "1", "6.90", "0.58", "15.5", "points"]
    assert others == "--run lists others: 000"
    assert relations("collect", "--run", "000").splitlines()[2].startswith("sandal+footwear-")
    block = "scrape:\n  queries:\n    sandal: [sandal -bag -handbag, flipflops -bag -handbag]\n"
    assert relations("collect", "bag-sandal+") == block
    assert params.read_text() == before
    assert relations("collect", "bag-sandal+", "--write", "params.yaml").startswith(
        "wrote the queries of sandal to par"
    )
    old, new = "sandal: [sandal, flipflops]", block.splitlines()[-1].strip()
    assert params.read_text() == before.replace(old, new)
    assert "equals no profile" in relations("check")
    assert relations("collect", "bag-sandal+") == block


def test_collect_says_what_scrape_does_not_ask_for(relations):
    replace(relations.folder / "params.yaml", "coat, sandal, shirt", "coat, shirt")
    assert "# sandal: add it to `errors.classes`" in relations("collect", "bag-sandal+", "sandal+footwear-")
    printed = relations("collect", "bag-footwear+").splitlines()
    assert printed[0].startswith("# bag-footwear+: shows no class of `scrape.queries`")
    assert printed[1] == "#   footwear -bag -handbag"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bag+hat-"], "bag+hat-: is no failure mode; `debugset collect` lists them"),
        (["bag-sandal+", "--run", "000"], "bag-sandal+: is no failure mode of run 000; give --run 001, or none"),
        (["sandal+footwear-"], "sandal+footwear-: no annotated image is of it"),
        (
            ["bag-footwear+"],
            "bag-footwear+: shows no class of `scrape.queries` to label photos with; leave out --write",
        ),
        (["bag-sandal+", "--about", "outfit"], "--about: only modes whose images show neither"),
        (["--run", "9"], "--run 9: there is no such run; choose from 000, 001"),
        (["bag-sandal+", "--run", "9"], "bag-sandal+: is no failure mode of run 9; give --run 001, or none"),
        ([], "--about and --write need a MODE"),
    ],
)
def test_collect_says_what_is_wrong_and_writes_nothing(relations, arguments, message):
    before = (relations.folder / "params.yaml").read_bytes()
    more = [] if "--run" in arguments else ["--write", "params.yaml"]
    assert message in relations("collect", *arguments, *more, fails=True)
    assert (relations.folder / "params.yaml").read_bytes() == before


def test_collect_needs_a_diagnosis(debugset):
    assert "data/relations: no diagnosis; choose `attributed.source`" in debugset("collect", fails=True)


def test_a_template_of_a_ground_truth_is_written_once(debugset):
    rows = {"id": ["a"], "label": [0], "sha256": [""], "width": [1], "height": [1], "shard": ["a.png"], "offset": [0]}
    table = pd.DataFrame(rows | {"size": [1]} | {f"attribute:{name}": [1] for name in "xyz"})
    (debugset.folder / "set").mkdir()
    write_manifest(debugset.folder / "set", table, ("image",))
    command = ["relations-template", "truth.csv", "--set", "set", "--relation", "unrelated"]
    assert "wrote 3 pairs to truth.csv" in debugset(*command)
    written = (debugset.folder / "truth.csv").read_text()
    assert written == "attribute_a,attribute_b,relation\nx,y,unrelated\nx,z,unrelated\ny,z,unrelated\n"
    assert "truth.csv: is there already" in debugset(*command, fails=True)
    assert (debugset.folder / "truth.csv").read_text() == written
