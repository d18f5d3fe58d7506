import pandas as pd

from debugset.studies.description import Task
from debugset.studies.word_cloud import count_words, words_page
from tests.report.elements import Elements

XSS = '<script>alert("x")</script>'


def test_words_are_counted_once_a_description_and_sized_by_their_count():
    words = count_words(["Blue, blue sky!", "the blue of a wall", "a BLUE wall", "blue", "jack-o'-lantern"])
    assert [(word.text, word.texts) for word in words] == [
        ("blue", 4), ("jack-o'-lantern", 1), ("sky", 1), ("wall", 2),
    ]  # fmt: skip
    assert [word.size for word in words] == [7, 4, 4, 5]
    assert count_words([]) == []


def test_of_many_words_the_most_frequent_stay():
    texts = [f"word{number:03}" for number in range(200)] + ["word199", "word150"]
    words = [word.text for word in count_words(texts)]
    assert len(words) == 80
    assert {"word199", "word150", "word000"} <= set(words)


def test_the_page_says_what_was_seen_of_each_feature_and_escapes_it():
    images = (("a",) * 6, ("b",) * 6)
    tasks = [Task(feature=feature, classes=("bag", XSS), images=images) for feature in (41, 42, 43)]
    rows = [
        ("Ada", False, 1, "yes", f"stripes {XSS}", "object", "surroundings"),
        (f"Bob {XSS}", False, 1, "yes", "stripes", "object", "object"),
        ("Ada", False, 2, "no", "", None, None),
    ]
    answers = pd.DataFrame(rows, columns=["annotator", "scripted", "task", "pattern", "text", "first", "second"])
    page = words_page(tasks, answers)
    elements = Elements(page)
    assert not [tag for tag, _ in elements.elements if tag == "script"]
    assert page.count("&lt;script&gt;") == 4  # in a description, a name, and a class's twice
    sizes = {attributes["title"]: attributes["class"] for tag, attributes in elements.elements if tag == "span"}
    assert sizes["in 2 descriptions"] == "size-7"
    assert sizes["in 1 description"] == "size-5"
    assert ">41<" in page
    assert ">42<" in page
    assert ">43<" not in page  # nobody was asked
    assert page.count("no pattern was seen") == 1
    assert "surroundings" in page


def test_a_study_without_patterns_has_an_empty_cloud():
    columns = ["annotator", "scripted", "task", "pattern", "text", "first", "second"]
    assert "No pattern was described" in words_page([], pd.DataFrame([], columns=columns))
