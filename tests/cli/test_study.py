"""``debugset study``: kits are made, answered by scripts and scored."""

import json

import pandas as pd
import pytest

from debugset.images.sets import open_set
from debugset.studies.kit import read_kit, write_kit
from tests.dcd.stage_world import write_features
from tests.studies.toys import make_features, make_inputs, make_set, toy_kit


@pytest.fixture
def barlow(debugset):
    """What `study make` reads for the features of Barlow's failure modes."""
    sets = debugset.folder / "data/sets"
    for number, name in enumerate(("diagnosis", "test")):
        write_features(make_set(sets / name, 90, number), make_features(90, number))
    (debugset.folder / "data/barlow").mkdir()
    rules = ['[[4, "<", 0.3]]', '[[7, ">=", 0.3], [4, "<", 0.5]]']
    modes = pd.DataFrame({"mode": ["label-bag-1", "label-bag-2"], "rule": rules, "class": 1})
    modes.to_parquet(debugset.folder / "data/barlow/modes.parquet")
    return debugset


@pytest.fixture
def kit(debugset):
    """A simulatability kit in studies/simulatability."""
    inputs = make_inputs(debugset.folder / "data/sets")
    kit = toy_kit(inputs)
    write_kit(debugset.folder / "studies/simulatability", kit, inputs.images, inputs.pictures)
    return kit


def test_barlow_s_features_are_described(barlow):
    printed = barlow("study", "make", "description", "--layer", "barlow", "--tasks", "5")
    assert "wrote 2 tasks to studies/description/index.html; there are no more" in printed
    assert "studies/description/kit.json holds the truth" in printed
    kit = read_kit(barlow.folder / "studies/description")
    assert sorted(task.feature for task in kit.tasks) == [4, 7]
    said = [
        {"task": 1, "pattern": "yes", "text": "grey wall", "first": "surroundings", "second": "object"},
        {"task": 2, "pattern": "no", "text": ""},
    ]
    content = {"kit": kit.id, "kind": kit.kind, "annotator": "Ada", "answers": said}
    (barlow.folder / "ada.json").write_text(json.dumps(content))
    printed = barlow("study", "score", "studies/description", "ada.json")
    assert "sees a pattern" in printed
    assert "words: studies/description/words.html" in printed
    assert "grey" in (barlow.folder / "studies/description/words.html").read_text()


def test_a_kit_goes_where_it_is_asked_to(barlow, monkeypatch):
    (barlow.folder / "data/sets/here").mkdir()
    monkeypatch.chdir(barlow.folder / "data/sets/here")
    barlow("study", "make", "description", "--layer", "barlow", "--into", "mine", "--set", "test", "--tasks", "1")
    kit = read_kit(barlow.folder / "data/sets/here/mine")
    assert kit.about["images"] == "test"
    ids = set(open_set(barlow.folder / "data/sets/test").ids)
    assert set(kit.tasks[0].images[0]) <= ids


def test_scripts_answer_and_are_scored_apart(debugset, kit):
    for script in ("oracle", "chance"):
        printed = debugset("study", "answer", "studies/simulatability", "--as", script)
        assert printed == f"wrote the scripted answers to studies/simulatability/scripted-{script}.json\n"
    files = [f"studies/simulatability/scripted-{script}.json" for script in ("oracle", "chance")]
    printed = debugset("study", "score", "studies/simulatability", *files)
    assert "oracle (scripted)" in printed
    assert "people" not in printed
    scores = json.loads((debugset.folder / "studies/simulatability/scores.json").read_text())
    assert set(scores["answers"]) == {"oracle (scripted)", "chance (scripted)"}
    assert not (debugset.folder / "studies/simulatability/words.html").exists()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["make", "description", "--largest"], "--largest: has no meaning for description; leave it out"),
        (["make", "simulatability", "--layer", "barlow"], "--layer: simulatability needs a decision layer; name"),
        (["score", "nowhere", "ada.json"], "nowhere/kit.json: no such kit; `debugset study make` makes one"),
        (["answer", "studies/simulatability", "--as", "robust"], "--as: the kit shows features of robust itself"),
        (["answer", "studies/simulatability", "--as", "nobody"], "models/nobody"),
        (["score", "studies/simulatability", "ada.json"], "ada.json: no such file"),
    ],
)
def test_what_cannot_be_is_one_clear_error(debugset, kit, arguments, error):
    assert error in debugset("study", *arguments, fails=True)
