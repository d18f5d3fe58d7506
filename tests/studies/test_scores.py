import json

import pandas as pd
import pytest

from debugset.base.files import write_json
from debugset.studies import scripted
from debugset.studies.scores import compute_scores, scores_json, scores_text
from tests.studies.toys import toy_kit


@pytest.fixture
def kit(inputs):
    return toy_kit(inputs)


@pytest.fixture
def answers(kit):
    """Ada is always right, Bob never and leaves two tasks out; two scripts."""
    others = {"a": "b", "b": "c", "c": "a"}
    rows = []
    for number, task in enumerate(kit.tasks, 1):
        rows.append(("Ada", False, number, task.right))
        if number <= 4:
            rows.append(("Bob", False, number, others[task.right]))
    for name, said in (
        ("oracle", scripted.answer_as_oracle(kit)),
        ("chance", scripted.answer_by_chance(kit, 0)),
    ):
        rows += [(name, True, answer.task, answer.choice) for answer in said]
    return pd.DataFrame(rows, columns=["annotator", "scripted", "task", "choice"])


def test_people_are_scored_together_and_scripts_apart(kit, answers):
    scores = compute_scores(kit, answers)
    assert list(scores) == ["people", "chance (scripted)", "oracle (scripted)"]
    assert scores["people"][0].share == 0.6
    assert scores["people"][0].answers == 10
    right, oracle, lead = scores["oracle (scripted)"]
    assert right[1:4] == oracle[1:4]
    assert lead.share == 1


def test_the_table_labels_scripts_and_tells_who_left_tasks_out(kit, answers):
    text = scores_text(kit, answers, compute_scores(kit, answers))
    lines = text.splitlines()
    assert lines[1].startswith("people ")
    assert " 60.0 " in lines[1]
    assert " 33.3 " in lines[1]
    assert [line.split("  ")[0] for line in lines if "(scripted)" in line] == ["chance (scripted)", "oracle (scripted)"]
    assert lines[-1] == "Bob answered 4 of 6 tasks; the others count nowhere"
    assert sum("the others count nowhere" in line for line in lines) == 1


def test_the_json_holds_the_same(kit, answers, tmp_path):
    scores = compute_scores(kit, answers)
    write_json(tmp_path / "scores.json", scores_json(kit, answers, scores))
    content = json.loads((tmp_path / "scores.json").read_text())
    assert content["kit"] == kit.id
    assert content["about"] == kit.about
    people = content["answers"]["people"]
    assert people["scripted"] is False
    assert people["answered"] == {"Ada": 6, "Bob": 4}
    assert people["missing"] == 2
    assert people["figures"]["right"]["share"] == 0.6
    assert set(people["figures"]) == {figure.name for figure in scores["people"]}
    assert content["answers"]["oracle (scripted)"]["scripted"] is True


def test_a_figure_that_is_not_known_is_null(inputs):
    """One annotator sees no pattern: nothing is spurious, and nobody agrees."""
    kit = toy_kit(inputs, "description")
    rows = [("Ada", False, 1, "no", "", None, None)]
    columns = ["annotator", "scripted", "task", "pattern", "text", "first", "second"]
    answers = pd.DataFrame(rows, columns=columns)
    scores = compute_scores(kit, answers)
    figures = scores_json(kit, answers, scores)["answers"]["people"]["figures"]
    assert figures["sees a pattern"] == {"share": 0.0, "low": 0.0, "high": 0.0, "chance": None, "answers": 1}
    assert figures["spurious for a class"] == {"share": None, "low": None, "high": None, "chance": None, "answers": 0}
    assert "spurious for a class" in scores_text(kit, answers, scores)


def test_every_figure_of_every_kind_has_a_name_of_its_own(inputs):
    kit = toy_kit(inputs, "misclassification")
    rows = [("Ada", False, number, "both", "a") for number in range(1, 7)]
    answers = pd.DataFrame(rows, columns=["annotator", "scripted", "task", "match", "better"])
    scores = compute_scores(kit, answers)
    assert len(scores_json(kit, answers, scores)["answers"]["people"]["figures"]) == len(scores["people"]) == 6
