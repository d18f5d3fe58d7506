import numpy as np
import pandas as pd
import pytest

from debugset.studies.description import Answer, Task, compute_figures, draw_tasks, positive_pairs
from debugset.studies.records import check
from tests.studies.toys import make_features, make_layer

CLASSES = ("sneaker", "bag", "trousers")
IDS = [f"image-{place}" for place in range(90)]
LABELS = np.arange(90) % 3


def draw(features, pairs, count=30, random_state=0):
    return draw_tasks(features, LABELS, CLASSES, IDS, pairs, count, random_state)


def naive_top(features, feature, class_):
    rows = [row for row in range(90) if LABELS[row] == class_]
    return sorted(rows, key=lambda row: -features[row, feature])[:6]


def test_a_layer_s_pairs_are_the_features_that_speak_for_a_class():
    pairs = positive_pairs(make_layer())
    assert (0, 0) in pairs
    assert (3, 0) not in pairs  # speaks against it
    assert not [pair for pair in pairs if pair[0] == 11]


def test_a_task_shows_the_strongest_images_of_the_class_and_of_the_other_that_activates_most():
    features = make_features(90, 0)
    pairs = positive_pairs(make_layer())
    tasks = draw(features, pairs)
    assert sorted(task.feature for task in tasks) == sorted({feature for feature, _ in pairs})
    for task in tasks:
        tops = {name: naive_top(features, task.feature, class_) for class_, name in enumerate(CLASSES)}
        assert task.images == tuple(tuple(IDS[row] for row in tops[name]) for name in task.classes)
        means = {name: features[rows, task.feature].mean() for name, rows in tops.items()}
        paired = {CLASSES[class_] for feature, class_ in pairs if feature == task.feature}
        strongest = [max(means.keys() - {one}, key=lambda name: means[name]) for one in sorted(paired)]
        assert set(task.classes) in [{one, other} for one, other in zip(sorted(paired), strongest, strict=True)]


def test_draws_depend_on_the_random_state():
    features, pairs = make_features(90, 0), positive_pairs(make_layer())
    assert draw(features, pairs, 4) == draw(features, pairs, 4)
    assert len(draw(features, pairs, 4)) == 4
    drawn = [[task.feature for task in draw(features, pairs, 4, random_state)] for random_state in (0, 1)]
    assert set(drawn[0]) != set(drawn[1])
    of_one_class = draw(features, [(feature, 0) for feature in range(12)])
    assert {task.classes[0] == "sneaker" for task in of_one_class} == {True, False}  # it comes first or second


def test_a_feature_that_is_active_in_one_class_alone_is_left_out():
    features = make_features(90, 0) + 0.1
    features[LABELS != 0, 1] = 0
    features[LABELS != 0, 2][:5] = 0
    assert [task.feature for task in draw(features, [(1, 0), (2, 0)])] == [2]
    with pytest.raises(ValueError, match="pairs: none of these features activates in images of two classes"):
        draw(features, [(1, 0), (1, 1)])


@pytest.fixture
def tasks():
    row = tuple(f"image-{place}" for place in range(6))
    classes = [("bag", "sneaker"), ("sneaker", "bag"), ("bag", "trousers")]
    return [Task(feature=7, classes=names, images=(row, row)) for names in classes]


def test_figures_of_answers_made_by_hand(tasks):
    o, s = "object", "surroundings"
    rows = [
        (1, "Ada", "yes", s, o), (1, "Bob", "yes", s, s),
        (2, "Ada", "no", None, None), (2, "Bob", "yes", o, o),
        (3, "Ada", "yes", s, s), (3, "Bob", "no", None, None),
    ]  # fmt: skip
    answers = pd.DataFrame(rows, columns=["task", "annotator", "pattern", "first", "second"])
    figures = {figure.name: figure for figure in compute_figures(tasks, answers)}
    assert figures["sees a pattern"].share == pytest.approx(4 / 6)
    assert figures["spurious for a class"].share == pytest.approx(5 / 8)
    assert figures["spurious for a class"].answers == 4
    assert figures["spurious for both"].share == 0.5
    assert figures["agree on the pattern"].share == pytest.approx(1 / 3)
    assert figures["agree on the pattern"].chance == pytest.approx((4 / 6) ** 2 + (2 / 6) ** 2)
    agree = figures["agree on the place"]  # only of task 1 both saw a pattern
    assert (agree.share, agree.answers) == (0.5, 2)
    assert figures["spurious for bag"].share == pytest.approx(3 / 4)
    assert figures["spurious for sneaker"].share == pytest.approx(1 / 3)
    assert figures["spurious for trousers"].share == 1


def test_one_annotator_agrees_with_nobody(tasks):
    answers = pd.DataFrame([(1, "Ada", "no", None, None)], columns=["task", "annotator", "pattern", "first", "second"])
    figures = {figure.name: figure for figure in compute_figures(tasks, answers)}
    assert figures["sees a pattern"].share == 0
    assert np.isnan(figures["agree on the pattern"].share)
    assert figures["spurious for a class"].answers == 0


@pytest.mark.parametrize("missing", ["text", "first", "second"])
def test_a_pattern_needs_a_text_and_both_places(missing):
    whole = {"task": 1, "pattern": "yes", "text": "stripes", "first": "object", "second": "surroundings"}
    assert check(Answer, whole).text == "stripes"
    with pytest.raises(ValueError, match="a pattern needs a text and a place for both classes"):
        check(Answer, {**whole, missing: "  " if missing == "text" else None})
    assert check(Answer, {"task": 1, "pattern": "no"}).first is None
