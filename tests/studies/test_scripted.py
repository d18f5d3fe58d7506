import numpy as np
import pytest

from debugset.models.classifier import save_model
from debugset.models.registry import find_architecture
from debugset.studies import scripted
from tests.models.toys import described
from tests.studies.toys import N_FEATURES, toy_kit
from tests.visuals.toys import small_resnet


def share_right(kit, answers):
    assert [answer.task for answer in answers] == list(range(1, len(kit.tasks) + 1))
    return np.mean([answer.choice == task.right for answer, task in zip(answers, kit.tasks, strict=True)])


@pytest.fixture(scope="module")
def kit(inputs):
    return toy_kit(inputs, tasks=300)


def sees(images, features, random_state=0):
    """Another embedder: it sees the same through a random rotation, with noise."""
    rng = np.random.default_rng(random_state)
    rotation = np.linalg.qr(np.random.default_rng(9).normal(size=(N_FEATURES, N_FEATURES)))[0]
    return dict(zip(images.ids, 3 * features @ rotation + rng.normal(0, 0.5, features.shape), strict=True))


def test_one_who_sees_beats_chance_and_the_oracle_is_the_bound(inputs, kit):
    seen = sees(inputs.images, inputs.features), sees(inputs.pictures, inputs.picture_features, 1)
    sight = share_right(kit, scripted.answer_by_sight(kit, *seen))
    oracle = share_right(kit, scripted.answer_as_oracle(kit))
    chance = share_right(kit, scripted.answer_by_chance(kit, 0))
    assert chance == pytest.approx(1 / 3, abs=0.08)
    assert chance + 0.1 < sight < oracle
    assert oracle == np.mean([task.oracle == task.right for task in kit.tasks])


def test_sight_follows_the_sign_of_weights(inputs, kit):
    seen = sees(inputs.images, inputs.features), sees(inputs.pictures, inputs.picture_features, 1)
    reverse = [task.model_copy(update={"weights": tuple(-one for one in task.weights)}) for task in kit.tasks]
    turned = kit.__class__(kit.kind, kit.about, kit.classes, kit.pictures, tuple(reverse))
    assert share_right(kit, scripted.answer_by_sight(turned, *seen)) < 1 / 3


def test_chance_depends_on_its_random_state(kit):
    assert scripted.answer_by_chance(kit, 1) == scripted.answer_by_chance(kit, 1)
    assert scripted.answer_by_chance(kit, 1) != scripted.answer_by_chance(kit, 2)


def test_an_embedder_looks_at_the_images(inputs, tmp_path):
    """A stored network answers; the same one twice says the same, and it is not always the first image."""
    kit = toy_kit(inputs, tasks=30)
    save_model(tmp_path / "foundation", small_resnet(), described(find_architecture("test_resnet")))
    sets = inputs.images.folder.parent
    answers = scripted.answer_as_embedder(kit, "foundation", sets, tmp_path)
    assert answers == scripted.answer_as_embedder(kit, "foundation", sets, tmp_path)
    assert {answer.choice for answer in answers} == set("abc")


def test_the_model_itself_is_no_annotator(inputs, kit, tmp_path):
    with pytest.raises(ValueError, match="--as: the kit shows features of robust itself; name another embedder"):
        scripted.answer_as_embedder(kit, "robust", inputs.images.folder.parent, tmp_path)


def test_scripts_answer_one_kind_alone(inputs):
    kit = toy_kit(inputs, "misclassification")
    with pytest.raises(ValueError, match="scripts answer simulatability alone, not misclassification; ask people"):
        scripted.answer_as_oracle(kit)
