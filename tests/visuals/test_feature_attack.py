"""Feature attacks: they raise the feature within their bounds, and hold no more memory with more steps."""

import weakref

import pytest
import torch
from torch import nn

from debugset.models.classifier import Classifier
from debugset.visuals.feature_attack import feature_attack
from tests.models.toys import PLAIN, mean_colour
from tests.visuals.toys import pixels

SETTINGS = {"radius": 1.0, "step": 0.2, "steps": 12}


@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS | {"step": 3.0}, SETTINGS | {"radius": 50.0, "step": 9.0}])
def test_an_attack_raises_the_feature_of_every_image_within_the_ball_and_the_range(network, settings):
    images = pixels()
    active = int(network.features(images).min(dim=0).values.argmax())
    attack = feature_attack(network, images, active, **settings)
    with torch.no_grad():
        torch.testing.assert_close(attack.before, network.features(images)[:, active])
        torch.testing.assert_close(attack.after, network.features(attack.pixels)[:, active], atol=1e-4, rtol=1e-4)
    assert (attack.after > attack.before).all()
    assert ((attack.pixels - images).flatten(1).norm(dim=1) <= settings["radius"] * (1 + 1e-5)).all()
    assert attack.pixels.min() >= 0
    assert attack.pixels.max() <= 1
    assert not attack.pixels.requires_grad


def test_more_steps_or_a_larger_ball_never_lower_the_feature(network):
    images, found = pixels(), []
    for settings in (SETTINGS | {"steps": 1}, SETTINGS, SETTINGS | {"radius": 3.0}):
        found.append(feature_attack(network, images, 7, **settings).after)
    assert (found[1] >= found[0]).all()
    assert (found[2] >= found[1] - 1e-6).all()


def test_an_attack_on_the_mean_of_red_reddens(network):
    images = pixels(side=8).clamp(0.2, 0.8)
    attack = feature_attack(mean_colour(), images, 0, radius=0.5, step=0.1, steps=10)
    change = attack.pixels - images
    torch.testing.assert_close(change[:, 0], torch.full_like(change[:, 0], 0.5 / 8), atol=1e-5, rtol=0)
    assert change[:, 1:].abs().max() < 1e-6


class Remembering(nn.Module):
    """A backbone that counts how many of the inputs that it has seen are still held by somebody."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3)
        self.seen, self.most = [], 0

    def forward_features(self, x):
        self.seen.append(weakref.ref(x))
        self.most = max(self.most, sum(one() is not None for one in self.seen))
        return self.layer(x).square()

    def forward_head(self, maps, pre_logits=True):
        return maps.mean(dim=(2, 3))


def test_no_step_s_graph_outlives_it():
    most = []
    for steps in (3, 40):
        backbone = Remembering()
        feature_attack(
            Classifier(backbone, PLAIN.mean, PLAIN.std), pixels(side=8), 0, radius=9.0, step=0.1, steps=steps
        )
        most.append(backbone.most)
    assert most[0] == most[1] <= 2


def test_a_feature_that_does_not_exist_is_named(network):
    with pytest.raises(ValueError, match="feature: the model has features 0 to 95, got 96"):
        feature_attack(network, pixels(), 96, **SETTINGS)
