import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from debugset.sparse.layer import DecisionLayer
from debugset.studies.simulatability import BINS, compute_figures, draw_tasks
from tests.studies.toys import make_features, make_layer

IDS = [f"image-{place}" for place in range(400)]


@pytest.fixture(scope="module")
def features():
    return make_features(len(IDS), 3)


def draw(features, count=40, random_state=0, layer=None, **options):
    return draw_tasks(layer or make_layer(), features, IDS, count, random_state, **options)


def test_a_task_has_an_image_of_each_bin_and_the_right_one_is_the_most_probable(features):
    layer = make_layer()
    probabilities = softmax(layer.logits(features), axis=1)
    tasks = draw(features)
    for task in tasks:
        shown = [probabilities[IDS.index(one), task.target] for one in task.images]
        for value, (low, high) in zip(sorted(shown), BINS, strict=True):
            assert low < value <= high
        assert task.probabilities == pytest.approx(shown, abs=1e-6)
        assert task.right == "abc"[int(np.argmax(shown))]
    assert {task.right for task in tasks} == set("abc")  # images come in random order
    assert {task.target for task in tasks} == {0, 1, 2}


def test_it_shows_up_to_five_features_of_the_class_the_most_important_first(features):
    layer = make_layer()
    tasks = draw(features)
    shown = {task.features for task in tasks if task.target == 0}
    assert len(shown) > 1  # random ones of seven
    assert {len(task.features) for task in tasks} == {3, 4, 5}
    for task in tasks:
        importance = layer.importance[list(task.features), task.target]
        assert set(task.features) <= set(layer.used(task.target).tolist())
        assert (np.diff(np.abs(importance)) <= 0).all()
        assert task.weights == pytest.approx(importance / np.abs(importance).max(), abs=1e-6)


def test_the_largest_features_can_be_asked_for(features):
    assert {task.features for task in draw(features, largest=True) if task.target == 0} == {(0, 1, 2, 3, 4)}


def test_the_oracle_knows_the_shown_features_alone(features):
    layer = make_layer()
    tasks = draw(features)
    for task in tasks:
        said = []
        for one in task.images:
            image = features[IDS.index(one)].astype(float)
            said.append(sum(image[feature] * layer.weights[feature, task.target] for feature in task.features))
        assert task.oracle == "abc"[int(np.argmax(said))]
    assert any(task.oracle != task.right for task in tasks)


def test_draws_depend_on_the_random_state_and_not_on_how_many_there_are(features):
    assert draw(features, 5) == draw(features, 40)[:5]
    assert draw(features, 5) != draw(features, 5, random_state=1)


def test_a_class_without_features_is_no_target(features):
    layer = make_layer()
    weights, bias = layer.weights.copy(), np.array([-1.0, 1.2, 0.3])
    weights[:, 1] = 0
    tasks = draw(features, layer=DecisionLayer(weights, bias, layer.means, layer.scales))
    probabilities = softmax(features @ weights + bias, axis=1)[:, 1]
    assert all(((low < probabilities) & (probabilities <= high)).any() for low, high in BINS)
    assert {task.target for task in tasks} == {0, 2}


def test_no_class_with_images_in_every_bin_is_an_error(features):
    layer = make_layer()
    certain = DecisionLayer(layer.weights * 100, layer.bias, layer.means, layer.scales)
    with pytest.raises(ValueError, match=r"no class that uses features has images with p in each of \(0.02, 0.2\]"):
        draw(features[:5].repeat(80, axis=0), layer=certain)


def test_figures_stand_beside_chance_and_the_oracle(features):
    tasks = draw(features, 4)
    others = {"a": "b", "b": "c", "c": "a"}
    tasks = [task.model_copy(update={"oracle": task.right}) for task in tasks]
    tasks[3] = tasks[3].model_copy(update={"oracle": others[tasks[3].right]})
    choices = [tasks[0].right, tasks[1].right, others[tasks[2].right], others[tasks[3].right]]
    answers = pd.DataFrame({"task": [1, 2, 3, 4], "annotator": "Ada", "choice": choices})
    right, oracle, lead = compute_figures(tasks, answers)
    assert (right.name, right.share, right.chance, right.answers) == ("right", 0.5, 1 / 3, 4)
    assert (oracle.name, oracle.share) == ("oracle right", 0.75)
    assert lead.share == pytest.approx((1 / 2 - 1 / 3) / (3 / 4 - 1 / 3))
    right, oracle, _ = compute_figures(tasks, answers.iloc[:2])
    assert (right.share, oracle.share) == (1, 1)  # of the tasks that were answered
