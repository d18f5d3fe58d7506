"""A person at the page: answers by keyboard, goes back, comes back later, saves; and the file is scored."""

import json

import pytest

from debugset.studies.answers import read_answers
from debugset.studies.kit import write_kit
from debugset.studies.scores import compute_scores
from tests.browser import Browser, needed
from tests.studies.toys import toy_kit

pytestmark = needed
KEYS = {"a": "1", "b": "2", "c": "3"}


@pytest.fixture
def browser(tmp_path):
    with Browser(tmp_path / "profile") as browser:
        browser.keep_downloads(tmp_path / "downloads")
        yield browser


def open_kit(browser, inputs, folder, kind, tasks):
    """Write a kit, open its page, and give a name."""
    kit = toy_kit(inputs, kind, tasks)
    write_kit(folder, kit, inputs.images, inputs.pictures)
    browser.open(folder / "index.html")
    browser.press("Enter")  # without a name nothing happens
    browser.press(*"Ada B.", "Enter")
    return kit


def saved(browser, folder, kit):
    """The answers of the file that is saved by Enter on the last screen."""
    browser.press("Enter")
    path = folder / "downloads" / browser.wait_for_download()
    assert path.name == f"answers-{kit.kind}-ada-b.json"
    assert json.loads(path.read_text())["annotator"] == "Ada B."
    return read_answers([path], kit)


def place(browser):
    return browser.evaluate("document.getElementById('place').textContent")


def chosen(browser):
    return browser.evaluate("document.querySelector('.screen:not([hidden]) input:checked')?.value ?? null")


def test_a_study_is_answered_by_keyboard_and_scored(browser, inputs, tmp_path):
    kit = open_kit(browser, inputs, tmp_path / "kit", "simulatability", 3)
    assert place(browser) == "Task 1 of 3"
    browser.press("Enter")  # nothing is chosen yet
    assert place(browser) == "Task 1 of 3"
    assert browser.evaluate("document.getElementById('hint').textContent") == "Choose an answer first."
    browser.press("1", KEYS[kit.tasks[0].right], "Enter")  # the mind is changed
    browser.press(kit.tasks[1].right, "Enter")  # letters do as well
    assert place(browser) == "Task 3 of 3"
    assert browser.evaluate("document.getElementById('progress').value") == 2
    browser.press("Backspace")
    assert (place(browser), chosen(browser)) == ("Task 2 of 3", kit.tasks[1].right)

    browser.open(tmp_path / "kit/index.html")  # comes back another day
    assert (place(browser), chosen(browser)) == ("Task 2 of 3", kit.tasks[1].right)
    shown = "[...document.querySelectorAll('form:not([hidden]) img')].every((image) => image.naturalWidth === 8)"
    decoded = "Promise.all([...document.querySelectorAll('form:not([hidden]) img')].map((image) => image.decode()))"
    assert browser.evaluate(f"{decoded}.then(() => {shown})")
    wrong = next(key for letter, key in KEYS.items() if letter != kit.tasks[2].right)
    browser.press("Enter", wrong, "Enter")

    answers = saved(browser, tmp_path, kit)
    assert answers["choice"].tolist()[:2] == [task.right for task in kit.tasks[:2]]
    assert compute_scores(kit, answers)["people"][0].share == pytest.approx(2 / 3)

    browser.evaluate("window.confirm = () => true; document.getElementById('anew').click()")  # the next person comes
    assert browser.evaluate("document.getElementById('annotator').value") == ""
    browser.press("B", "o", "Enter")
    assert (place(browser), chosen(browser)) == ("Task 1 of 3", None)
    assert browser.complaints() == []


def test_a_pattern_is_described(browser, inputs, tmp_path):
    kit = open_kit(browser, inputs, tmp_path / "kit", "description", 2)
    browser.press("y", *"yes, no 1", "Enter")  # letters of a text choose nothing
    assert browser.evaluate("document.getElementById('hint').textContent") == "Choose an answer first."
    browser.press("2", "3", "Enter")
    browser.press("y", "Escape", "n", "Enter")  # the text that was asked for is not any more
    first, second = saved(browser, tmp_path, kit).fillna("").to_dict("records")
    assert (first["pattern"], first["text"], first["first"], first["second"]) == (
        "yes", "yes, no 1", "surroundings", "object",
    )  # fmt: skip
    assert (second["pattern"], second["text"], second["first"]) == ("no", "", "")
    assert browser.complaints() == []


def test_a_match_is_weighed(browser, inputs, tmp_path):
    kit = open_kit(browser, inputs, tmp_path / "kit", "misclassification", 2)
    browser.press("3", "Enter")  # both: which is better is asked
    assert place(browser) == "Task 1 of 2"
    browser.press("b", "Enter", "4", "Enter")
    answers = saved(browser, tmp_path, kit)
    assert answers["match"].tolist() == ["both", "none"]
    assert answers["better"].fillna("").tolist() == ["b", ""]
    assert browser.complaints() == []
