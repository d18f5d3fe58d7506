"""Experiments read from git: what was swept, the rows of the picture, what is told when nothing can be drawn."""

import json
import subprocess

import pytest
import yaml
from PIL import Image

from debugset.versions import sweep, sweep_picture
from debugset.versions.sweep import Experiment

IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]


def experiment(name, per_seed, heldout, **params):
    variants = {}
    for variant, share in heldout.items():
        cell = {"accuracy": share, "low": share - 0.05, "high": share + 0.1, "images": 40}
        variants[variant] = {"heldout": cell}
    return Experiment(name, {"pick.per_seed": per_seed, **params}, variants)


FOUR = experiment("b", 4, {"another": 0.3, "dcd-robust": 0.5, "random": 0.2})  # git has them by the alphabet
TWO = experiment("a", 2, {"random": 0.1})


def test_rows_are_percent_in_the_order_of_values_and_of_the_report():
    rows = sweep.accuracies([FOUR, TWO], "pick.per_seed", "heldout")
    assert rows.drop(columns=["low", "high"]).to_numpy().tolist() == [
        ["a", 2, "random", 10.0],
        ["b", 4, "random", 20.0],
        ["b", 4, "dcd-robust", 50.0],
        ["b", 4, "another", 30.0],
    ]
    assert rows["low"].tolist() == pytest.approx([5, 15, 45, 25])
    assert rows["high"].tolist() == pytest.approx([20, 30, 60, 40])


def test_numbers_come_before_words_and_in_their_own_order():
    some = [experiment(str(place), value, {"random": 0.1}) for place, value in enumerate([10, "all", 9, None])]
    assert sweep.accuracies(some, "pick.per_seed", "heldout")["value"].tolist() == [9, 10, None, "all"]


def test_the_swept_parameter_is_the_one_that_differs():
    assert sweep.swept_param([FOUR, TWO]) == "pick.per_seed"
    with pytest.raises(ValueError, match=r"--param: .* they have the same parameters"):
        sweep.swept_param([FOUR, FOUR])
    more = experiment("c", 8, {"random": 0.1}, steps=3)
    with pytest.raises(ValueError, match=r"--param: .* they differ in pick\.per_seed, steps"):
        sweep.swept_param([FOUR, more])


def test_what_no_experiment_has_is_named():
    with pytest.raises(ValueError, match=r"b: its params have no `pick\.random_state`"):
        sweep.accuracies([FOUR], "pick.random_state", "heldout")
    with pytest.raises(ValueError, match="--metric test: no experiment has it; choose from heldout"):
        sweep.accuracies([FOUR], "pick.per_seed", "test")


@pytest.mark.parametrize("values", [(2, 4), ("effnet_lite0", "dino_s16"), (True, False), (3, 3)])
def test_the_picture_takes_numbers_words_and_one_value(tmp_path, values):
    some = [experiment(str(place), value, {"random": 0.1, "other": 0.3}) for place, value in enumerate(values)]
    rows = sweep.accuracies(some, "pick.per_seed", "heldout")
    sweep_picture.draw(tmp_path / "sweep.png", rows, "per_seed", "held-out")
    with Image.open(tmp_path / "sweep.png") as drawn:
        assert drawn.width > 500


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository whose HEAD has results, with a function that adds an experiment on HEAD as DVC keeps it."""
    monkeypatch.chdir(tmp_path)

    def git(*arguments):
        return subprocess.run(["git", *IDENTITY, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    def commit(per_seed, accuracy):
        (tmp_path / "params.yaml").write_text(yaml.safe_dump({"pick": {"per_seed": per_seed, "list": [1]}}))
        (tmp_path / "metrics").mkdir(exist_ok=True)
        variants = {"random": {"heldout": {"accuracy": accuracy, "low": 0.0, "high": 1.0, "images": 9}}}
        (tmp_path / "metrics/accuracy.json").write_text(json.dumps({"variants": variants}))
        git("add", "-A")
        git("commit", "-qm", f"{per_seed}")
        return git("rev-parse", "HEAD")

    git("init", "-q", "-b", "main")
    head = commit(6, 0.6)

    def add(name, per_seed, accuracy):
        made = commit(per_seed, accuracy)
        git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/{name}", made)
        git("reset", "-q", "--hard", head)

    add.git = git
    return add


def test_all_experiments_on_head_and_head_are_read(repository):
    repository("two", 2, 0.2)
    repository("four", 4, 0.4)
    rows = sweep.accuracies(sweep.read_experiments([]), "pick.per_seed", "heldout")
    assert rows[["experiment", "value", "accuracy"]].to_numpy().tolist() == [
        ["two", 2, 20.0],
        ["four", 4, 40.0],
        ["HEAD", 6, 60.0],
    ]


def test_named_experiments_and_branches_are_read(repository):
    repository("two", 2, 0.2)
    assert [one.params["pick.per_seed"] for one in sweep.read_experiments(["two", "main"])] == [2, 6]


def test_what_git_does_not_have_is_named(repository):
    with pytest.raises(ValueError, match="HEAD has no experiments; run `dvc exp run"):
        sweep.read_experiments([])
    with pytest.raises(ValueError, match="nothing: git knows no such experiment"):
        sweep.read_experiments(["nothing"])
    repository.git("rm", "-q", "metrics/accuracy.json")
    repository.git("commit", "-qm", "none")
    with pytest.raises(ValueError, match=r"main: has no metrics/accuracy\.json"):
        sweep.read_experiments(["main"])
