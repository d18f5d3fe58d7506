import numpy as np
import pandas as pd
import pytest

from debugset.studies.misclassification import Answer, Task, compute_figures, draw_tasks
from debugset.studies.records import check
from tests.studies.toys import make_errors, make_features, make_layer

IDS = [f"image-{place}" for place in range(300)]


@pytest.fixture(scope="module")
def world():
    layer, features = make_layer(), make_features(300, 5)
    labels = np.random.default_rng(0).integers(3, size=300)
    return layer, features, make_errors(layer, features, labels)


def draw(world, count=20, random_state=0):
    layer, features, errors = world
    return draw_tasks(layer, features, IDS, errors, count, random_state)


def test_a_task_shows_the_blamed_feature_and_the_true_class_s_most_activated(world):
    layer, features, errors = world
    blamed_of = errors.set_index("row")["blamed"].to_dict()
    tasks = draw(world)
    assert len({task.image for task in tasks}) == 20
    for task in tasks:
        row = IDS.index(task.image)
        speaking = [feature for feature in range(12) if layer.weights[feature, task.label] > 0]
        own = max(speaking, key=lambda feature: (features[row, feature] - layer.means[feature]) / layer.scales[feature])
        suspect = task.features["ab".index(task.suspect)]
        assert set(task.features) == {own, suspect}
        assert own != suspect
        assert (suspect == blamed_of[row]) is not task.control
        assert 11 not in task.features  # no class uses it


def test_half_of_the_tasks_are_controls_and_places_are_random(world):
    tasks = draw(world)
    assert sum(task.control for task in tasks) == 10
    assert {(task.control, task.suspect) for task in tasks} == {(c, s) for c in (True, False) for s in "ab"}
    controls = [task.control for task in tasks]
    assert controls not in ([False, True] * 10, [True, False] * 10)
    assert len({task.features["ab".index(task.suspect)] for task in tasks if task.control}) > 3


def test_draws_depend_on_the_random_state(world):
    assert draw(world) == draw(world)
    assert draw(world) != draw(world, random_state=1)


def test_an_error_blamed_on_the_true_class_s_own_feature_is_left_out(world):
    layer, features, errors = world
    drawn = draw(world, 1000)
    assert len(drawn) < len(errors)
    lone = errors[~errors["row"].isin([IDS.index(task.image) for task in drawn])]
    with pytest.raises(ValueError, match="errors: none is corrected by a feature other than its true class's own"):
        draw_tasks(layer, features, IDS, lone, 5, 0)


def test_figures_of_answers_made_by_hand():
    shared = {"features": (1, 2), "image": "image-0", "label": 0, "predicted": 1}
    tasks = [Task(**shared, control=place >= 4, suspect="ab"[place % 2]) for place in range(8)]
    rows = [
        (1, "a", None), (2, "both", "b"), (3, "both", "b"), (4, "none", None),  # suspects: a, b, a, b
        (5, "b", None), (6, "a", None), (7, "both", "a"), (8, "none", None),
    ]  # fmt: skip
    answers = pd.DataFrame(rows, columns=["task", "match", "better"]).assign(annotator="Ada")
    figures = [(figure.name, figure.share, figure.answers) for figure in compute_figures(tasks, answers)]
    assert figures == [
        ("blamed feature matches", 0.75, 4),
        ("true class's matches beside the blamed feature", 0.5, 4),
        ("blamed feature matches better", pytest.approx(2 / 3), 3),
        ("random feature matches", 0.25, 4),
        ("true class's matches beside the random feature", 0.75, 4),
        ("random feature matches better", pytest.approx(1 / 3), 3),
    ]


def test_both_needs_the_better_one():
    assert check(Answer, {"task": 1, "match": "both", "better": "b"}).better == "b"
    with pytest.raises(ValueError, match="which matches better is missing"):
        check(Answer, {"task": 1, "match": "both"})
    with pytest.raises(ValueError, match="match: Input should be 'a', 'b', 'both' or 'none'"):
        check(Answer, {"task": 1, "match": "c"})
