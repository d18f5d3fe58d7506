"""The L2 attack: inside its ball, harmful, and the same as an image at a time."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from debugset.models import attacks
from debugset.models.attacks import l2_attack
from tests.models.toys import small_network
from tests.reference import l2_attack as naive

SETTINGS = {"radius": 0.5, "step": 0.2, "steps": 5}


def batch(count=6, random_state=0):
    generator = torch.Generator().manual_seed(random_state)
    return torch.rand(count, 3, 8, 8, generator=generator), torch.arange(count) % 3


def lengths(difference):
    return difference.flatten(1).norm(dim=1)


def test_the_attack_equals_an_image_at_a_time_from_the_same_start(monkeypatch):
    model, (pixels, labels) = small_network().eval(), batch()
    pixels[0] = 0.0  # at the border of [0, 1]
    starts = 0.01 * torch.randn(pixels.shape, generator=torch.Generator().manual_seed(1))
    monkeypatch.setattr(attacks, "_random_start", lambda *_: starts)
    for steps in (0, 1, 2, 6):  # inside the ball at first, at its border then
        settings = SETTINGS | {"steps": steps}
        expected = naive.l2_attack(model, pixels, labels, starts, **settings)
        torch.testing.assert_close(l2_attack(model, pixels, labels, **settings), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS | {"step": 5.0}, SETTINGS | {"radius": 100.0, "step": 50.0}])
def test_the_attack_stays_in_the_ball_and_in_the_range_of_pixels(settings):
    pixels, labels = batch()
    attacked = l2_attack(small_network(), pixels, labels, **settings)
    assert (lengths(attacked - pixels) <= settings["radius"] * (1 + 1e-5)).all()
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    assert not attacked.requires_grad


def test_the_attack_raises_the_loss_of_every_image():
    model, (pixels, labels) = small_network().eval(), batch()
    attacked = l2_attack(model, pixels, labels, **SETTINGS)
    with torch.inference_mode():
        before, after = (F.cross_entropy(model(x), labels, reduction="none") for x in (pixels, attacked))
    assert (after > before).all()


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(training):
    model, (pixels, labels) = small_network().train(training), batch()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    l2_attack(model, pixels, labels, **SETTINGS)
    assert all(module.training is training for module in model.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())  # batch statistics too
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_model_without_gradient_gives_no_nan():
    class Constant(nn.Module):
        def forward(self, x):
            return x.mean(dim=(2, 3)) * 0

    pixels, labels = batch()
    assert l2_attack(Constant(), pixels, labels, **SETTINGS).isfinite().all()


def test_starts_are_random_directions_of_all_lengths_up_to_the_radius():
    pixels = torch.zeros(500, 3, 4, 4)
    starts = attacks._random_start(pixels, 2.0, torch.Generator().manual_seed(0))
    assert lengths(starts).max() <= 2 + 1e-5
    assert abs(lengths(starts).mean() - 1) < 0.1
    assert lengths(starts.mean(0, keepdim=True)) < 0.2


def test_a_seeded_generator_repeats_the_attack_and_another_seed_does_not():
    model, (pixels, labels) = small_network(), batch()
    first, again, other = (
        l2_attack(model, pixels, labels, **SETTINGS, generator=torch.Generator().manual_seed(random_state))
        for random_state in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_attack_is_the_same_on_a_gpu():
    model, (pixels, labels) = small_network().eval(), batch()
    one, other = (
        l2_attack(
            model.to(where), pixels.to(where), labels.to(where), **SETTINGS, generator=torch.Generator().manual_seed(0)
        )
        for where in ("cpu", "cuda")
    )
    torch.testing.assert_close(one, other.cpu(), atol=1e-3, rtol=0)
