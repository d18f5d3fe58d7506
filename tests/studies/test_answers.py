import json

import pytest

from debugset.studies.answers import read_answers, write_answers
from debugset.studies.simulatability import Answer
from tests.studies.toys import toy_kit


@pytest.fixture
def kit(inputs):
    return toy_kit(inputs)


@pytest.fixture
def write(kit, tmp_path):
    """Write a file of answers as the page saves it, with changes."""

    def write(name="ada.json", **changes):
        answers = [{"task": 2, "choice": "b"}, {"task": 1, "choice": "a"}]
        content = {"kit": kit.id, "kind": kit.kind, "annotator": "Ada", "answers": answers} | changes
        path = tmp_path / name
        path.write_text(json.dumps(content))
        return path

    return write


def test_every_answer_is_a_row(write, kit):
    bob = write("bob.json", annotator=" Bob  B. ", answers=[{"task": 6, "choice": "c"}])
    table = read_answers([write(), bob], kit)
    assert table.to_dict("list") == {
        "annotator": ["Ada", "Ada", "Bob B."],
        "scripted": [False, False, False],
        "task": [2, 1, 6],
        "choice": ["b", "a", "c"],
    }


def test_what_scripts_write_is_read_and_labelled(kit, tmp_path):
    path = tmp_path / "scripted.json"
    write_answers(path, kit, "foundation", [Answer(task=3, choice="c")], scripted=True)
    (row,) = read_answers([path], kit).to_dict("records")
    assert row == {"annotator": "foundation", "scripted": True, "task": 3, "choice": "c"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"kit": "0123456789abcdef"}, "ada.json: answers kit 0123456789abcdef, not .*; give the kit that it was saved"),
        ({"annotator": "  "}, "ada.json: names no annotator; fill in `annotator`"),
        ({"answers": []}, "ada.json: holds no answers; leave it out"),
        ({"answers": [{"task": 1, "choice": "a"}] * 2}, "ada.json: task 1 is answered twice; leave one answer out"),
        ({"answers": [{"task": 7, "choice": "a"}]}, "ada.json: task 7 is none of the kit's 6"),
        ({"answers": [{"task": 0, "choice": "a"}]}, "ada.json: task 0 is none of the kit's 6"),
        ({"answers": [{"task": 1, "choice": "d"}]}, "ada.json: task 1: choice: Input should be 'a', 'b' or 'c'; save"),
        ({"answers": [{"task": 1}]}, "ada.json: task 1: choice: Field required"),
        ({"answers": [{"task": 1, "choice": "a", "right": "a"}]}, "ada.json: task 1: right: Extra inputs are not"),
        ({"answers": "none"}, "ada.json: not a file of answers .answers: Input should be a valid list.*; save it anew"),
    ],
)
def test_a_wrong_file_is_one_clear_error(write, kit, changes, error):
    with pytest.raises(ValueError, match=error) as raised:
        read_answers([write(**changes)], kit)
    assert "\n" not in str(raised.value)


def test_what_is_no_file_of_answers_is_refused(write, kit, tmp_path):
    path = write()
    path.write_text(path.read_text()[:40])
    with pytest.raises(ValueError, match=r"ada.json: not a file of answers .*; save it anew from the kit's page"):
        read_answers([path], kit)
    with pytest.raises(FileNotFoundError, match=r"bob.json: no such file"):
        read_answers([tmp_path / "bob.json"], kit)


def test_an_annotator_answers_once(write, kit):
    """Two files of one name are the same person's, or two people's that would count as one."""
    paths = [write(), write("again.json", annotator="ada ")]
    with pytest.raises(ValueError, match=r"again.json: 'ada' answers in .*ada.json too; leave one out, or rename one"):
        read_answers(paths, kit)
