"""Training the project's models: seeded from the weights on, attacked when asked, and scored as they are fed."""

import pickle

import numpy as np
import pytest
import torch
from torch import nn

from debugset.models.classifier import Classifier
from debugset.models.outputs import predict
from debugset.models.params import RobustParams
from debugset.models.registry import find_architecture
from debugset.training.fitting import fit_fresh, robust_accuracy, training_attack, whole_set
from tests.datasets.tiny import plain, tiny_set
from tests.training.toys import coloured_set, recipe


@pytest.fixture(autouse=True)
def one_cpu(monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "cpu")
    monkeypatch.delenv("DEBUGSET_DEVICES", raising=False)


def robust(**changes):
    settings = {"architecture": "test_resnet", "file": None, "file_sha256": None, "random_state": 0, "steps": 2,
                "peak_lr": 0.1, "label_smoothing": 0.0, "radius": 0.5, "attack_steps": 2, "attack_step": 0.5,
                "clean_steps": 2, "evaluation_steps": 3, "evaluation_images": 100}  # fmt: skip
    return RobustParams(**(settings | changes))


class Brightness(nn.Module):
    """Tells dark images (class 0) from bright ones (class 1) by their mean."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        mean = x.mean(dim=(1, 2, 3)) * self.scale
        return torch.stack([-mean, mean], dim=1) * 10


def brightness():
    return Classifier(Brightness(), (0.5,) * 3, (1.0,) * 3).eval()


def test_a_whole_set_weighs_every_image_alike(tmp_path):
    images = coloured_set(tmp_path, 7)
    data = whole_set(images)
    assert len(data) == 7
    assert data.labels.tolist() == images.labels.tolist()
    assert data.weights.tolist() == [1] * 7
    assert [data.locate(index)[1] for index in range(7)] == list(range(7))


def test_a_fresh_model_repeats_for_a_seed_from_its_first_weights_on(tmp_path):
    data = whole_set(coloured_set(tmp_path, 12))
    models = []
    for random_state in (0, 0, 1):
        torch.rand(1)  # whatever was drawn before
        models.append(fit_fresh("test_resnet", data, ("a", "b", "c"), recipe(steps=1, peak_lr=1e-9), random_state))
    first, again, other = (classifier.backbone.get_classifier().weight for classifier, _ in models)
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 1e-3  # not the training's doing at this rate
    description = models[0][1]
    assert description.architecture == find_architecture("test_resnet")
    assert description.classes == ("a", "b", "c")
    assert description.origin == "trained from scratch, random_state 0"


def test_training_is_clean_at_first_and_attacked_within_the_radius_then():
    attack, model = training_attack(robust()), brightness()
    pixels, labels = torch.full((4, 3, 8, 8), 0.5), torch.tensor([0, 1, 0, 1])
    assert all(torch.equal(attack(model, pixels, labels, step), pixels) for step in (0, 1))
    torch.manual_seed(0)
    moved = attack(model, pixels, labels, 2) - pixels
    lengths = moved.flatten(1).norm(dim=1)
    assert (lengths <= 0.5 + 1e-5).all()
    assert (lengths > 0.25).all()
    assert (moved.mean(dim=(1, 2, 3)) > 0).tolist() == [True, False, True, False]  # towards the other class


def test_an_attack_travels_to_other_processes():
    attack = pickle.loads(pickle.dumps(training_attack(robust(clean_steps=1))))
    pixels = torch.rand(2, 3, 8, 8)
    assert torch.equal(attack(brightness(), pixels, torch.tensor([0, 1]), 0), pixels)


def test_robust_training_runs_through_the_loop(tmp_path):
    data = whole_set(coloured_set(tmp_path, 12))
    plainly, attacked = (
        fit_fresh("test_resnet", data, ("a", "b", "c"), recipe(steps=3), 0, attack=attack)[0]
        for attack in (None, training_attack(robust(clean_steps=1)))
    )
    assert not torch.equal(plainly.backbone.get_classifier().weight, attacked.backbone.get_classifier().weight)


def test_robust_accuracy_falls_with_the_radius_and_repeats(tmp_path):
    """Levels 110 … 145 around the border at 127.5: the L2 distance to it is known for every image."""
    levels = np.arange(110, 146, 5)
    images = tiny_set(
        tmp_path, [plain([level] * 3, 32, 32) for level in levels], levels > 127, classes=("dark", "bright")
    )
    distances = np.abs(levels - 127.5) / 255 * np.sqrt(3 * 32 * 32)
    params = robust(radius=2.0, evaluation_steps=10)
    scores = robust_accuracy(brightness(), images, params, batch=3)
    assert list(scores) == ["clean", "L2 1", "L2 2", "L2 4"]
    assert scores["clean"] == 1
    for name, radius in (("L2 1", 1.0), ("L2 2", 2.0), ("L2 4", 4.0)):
        assert scores[name] == pytest.approx((distances > radius).mean())
    assert robust_accuracy(brightness(), images, params, batch=3) == scores


def test_robust_accuracy_is_of_images_from_all_over_the_set(tmp_path):
    bright = [plain([200] * 3, 32, 32)] * 6
    images = tiny_set(tmp_path, bright, [1, 1, 1, 1, 0, 0], classes=("dark", "bright"))  # sorted by class
    assert robust_accuracy(brightness(), images, robust(evaluation_images=3), 8)["clean"] == pytest.approx(2 / 3)
    assert robust_accuracy(brightness(), images, robust(evaluation_images=9), 8)["clean"] == pytest.approx(4 / 6)


def test_attacked_images_are_prepared_as_clean_ones(tmp_path):
    """Wide images, bright in the middle and dark beside it: squashed they would be dark."""
    sides, middle = plain([0] * 3, 32, 32), plain([200] * 3, 32, 32)
    images = tiny_set(
        tmp_path, [np.concatenate([sides, middle, sides], axis=1)] * 3, [1] * 3, classes=("dark", "bright")
    )
    scores = robust_accuracy(brightness(), images, robust(radius=1e-6), 2)
    assert set(scores.values()) == {1.0}


def test_a_model_in_any_memory_format_is_scored(tmp_path):
    """Stage model-robust attacks a model right after it predicted with it."""
    images = coloured_set(tmp_path, 6)
    classifier, description = fit_fresh(
        "test_resnet", whole_set(images), ("a", "b", "c"), recipe(channels_last=False), 0
    )
    predict(classifier, description, images, np.arange(6), "fp32")
    assert set(robust_accuracy(classifier, images, robust(evaluation_steps=1), 4)) >= {"clean", "L2 0.5"}
