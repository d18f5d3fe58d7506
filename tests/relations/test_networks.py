"""Attribute networks: their losses, that they learn, repeat and come back from disk, and train on two processes."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from debugset.images.sets import read_attributes
from debugset.models.classifier import build, save_model
from debugset.relations.mining import open_network
from debugset.relations.networks import SmallAlexNet, architecture, fit_attributes, logistic_loss, squared_loss
from debugset.relations.patterns import inference_patterns
from tests.relations.worlds import attributes_params, halves_set


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return halves_set(tmp_path_factory.mktemp("halves"))


def fitted(images, rows=None, values=None, **changes):
    rows = np.arange(len(images)) if rows is None else rows
    values = read_attributes(images).iloc[rows] if values is None else values
    return fit_attributes(
        images, rows, values, attributes_params(**changes), changes.get("random_states", [0])[0], "test"
    )


def scores(network, images):
    pixels = torch.from_numpy(images.pixels(range(len(images)), 16)).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        return network(pixels).numpy()


def accuracy(network, images):
    return ((scores(network, images) > 0) == (read_attributes(images) > 0).to_numpy()).mean()


SCORES, WEIGHTS = [[0.5, -2.0], [3.0, 0.0], [-90.0, 90.0]], [1.0, 3.0, 0.5]
VALUES = [[1.0, 1.0], [-1.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("loss", "formula"),
    [
        (logistic_loss, lambda score, value: math.log1p(math.exp(-score * value))),
        (squared_loss, lambda score, value: (value - score) ** 2),
    ],
)
def test_a_loss_is_its_formula_summed_over_attributes_and_averaged_over_images(loss, formula):
    def of(image):
        return sum(formula(score, value) for score, value in zip(SCORES[image], VALUES[image], strict=True))

    tensors = [torch.tensor(each) for each in (SCORES, VALUES, WEIGHTS)]
    expected = sum(weight * of(image) for image, weight in enumerate(WEIGHTS)) / sum(WEIGHTS)
    assert loss(*tensors).item() == pytest.approx(expected, rel=1e-6)
    alone = loss(*(each[:1] for each in tensors)).item()
    assert alone == pytest.approx(of(0), rel=1e-6)
    assert loss(tensors[0].bfloat16(), *tensors[1:]).dtype == torch.float32


@pytest.mark.parametrize("loss", ["logistic", "squared"])
def test_attributes_that_are_easy_to_see_are_learnt(images, tmp_path, loss):
    network, described = fitted(images, loss=loss, steps=60, batch=16, peak_lr=0.02)
    assert not network.training
    unseen = halves_set(tmp_path, random_state=1)
    assert accuracy(network, unseen) > 0.95
    assert described.classes == ("left", "right")
    assert described.name == "small_alexnet"
    assert described.origin == "trained from scratch, random_state 0"


def test_continuous_attributes_are_estimated_in_their_scale(images):
    wished = read_attributes(images) * [3.0, 0.5]
    network, _ = fitted(images, values=wished.astype("float32"), loss="squared", steps=40, batch=16, peak_lr=0.003)
    found = scores(network, images)
    assert np.abs(found - wished.to_numpy()).mean(0) == pytest.approx([0, 0], abs=0.5)
    assert np.abs(found).mean(0) == pytest.approx([3, 0.5], abs=0.4)


def test_only_the_rows_given_are_trained_on_each_with_its_own_attributes(images):
    rows = np.flatnonzero(read_attributes(images)["left"] > 0)  # an image's left half is always bright here
    network, _ = fitted(images, rows, steps=30, batch=16, peak_lr=0.02)
    assert (scores(network, images)[:, 0] > 0).all()
    assert ((scores(network, images)[rows, 1] > 0) == (read_attributes(images)["right"].iloc[rows] > 0)).all()


def test_a_random_state_repeats_every_bit_and_another_does_not(images):
    found = []
    for random_state in (0, 0, 1):
        torch.manual_seed(50 + len(found))  # what was drawn before does not count
        found.append(fitted(images, steps=3, random_states=[random_state])[0].state_dict())
    first, again, other = found
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first if name.endswith("weight"))


def test_two_processes_train_as_one(images, monkeypatch):
    one = fitted(images, steps=4)[0].state_dict()
    monkeypatch.setenv("DEBUGSET_DEVICES", "2")
    two = fitted(images, steps=4)[0].state_dict()
    torch.manual_seed(0)
    start = build(architecture(attributes_params()), 2).state_dict()
    for name in one:
        torch.testing.assert_close(one[name], two[name], atol=1e-5, rtol=0, msg=name)
        assert (one[name] - start[name]).abs().max() > 1e-4, name


def test_a_stored_network_comes_back_with_its_layer(images, tmp_path):
    network, described = fitted(images, steps=2)
    save_model(tmp_path / "000", network, described)
    opened = open_network(tmp_path / "000", "backbone.features.0")
    assert opened.architecture == described.architecture == architecture(attributes_params())
    assert opened.layer == "backbone.features.0"
    assert np.array_equal(scores(opened.classifier, images), scores(network, images))
    with pytest.raises(FileNotFoundError, match="no model is stored there"):
        open_network(tmp_path / "001", "backbone.features.0")


def count(network, kind):
    return sum(isinstance(module, kind) for module in network.modules())


def test_torchvision_s_alexnet_has_the_paper_s_layers_and_can_be_cut_at_its_first():
    torch.manual_seed(0)
    network = build(architecture(attributes_params(architecture="alexnet", side=224)), 3).eval()
    assert (count(network, nn.Conv2d), count(network, nn.Linear)) == (5, 3)
    found = inference_patterns(network, "backbone.features.0", torch.rand(1, 3, 224, 224), [1])
    assert found.shape == (64, 55, 55)
    assert found.gradients.shape == (1, 1, 64 * 55 * 55)
    assert found.gradients.abs().max() > 0


@pytest.mark.parametrize("side", [16, 64])
def test_a_small_alexnet_takes_its_side_from_params(side):
    described = architecture(attributes_params(side=side))
    network = build(described, 4).eval()
    assert isinstance(network.backbone, SmallAlexNet)
    assert (count(network, nn.Conv2d), count(network, nn.Linear)) == (3, 2)
    assert network(torch.rand(2, 3, side, side)).shape == (2, 4)
    assert (
        inference_patterns(network, "backbone.features.0", torch.rand(1, 3, side, side)).shape[1:] == (side // 2,) * 2
    )


def test_any_model_of_timm_will_do_and_no_other(images):
    network, described = fitted(images, architecture="test_resnet", side=32, steps=2)
    assert described.architecture.timm_name == "test_resnet"
    pixels = torch.rand(2, 3, 32, 32)
    assert inference_patterns(network, "backbone.conv1.0", pixels).scores.shape == (2, 2)
    line = "attributes.architecture: `resnet_of_mine` is unknown; say small_alexnet, alexnet, or a model of timm"
    with pytest.raises(ValueError, match=line):
        fit_attributes(
            images, np.arange(4), pd.DataFrame(), attributes_params(architecture="resnet_of_mine"), 0, "test"
        )


def test_a_training_that_diverges_is_no_network(images):
    with pytest.raises(ValueError, match=r"^test: the training diverged.*lower attributes\.peak_lr$"):
        fitted(images, loss="squared", peak_lr=1e6, steps=12)
