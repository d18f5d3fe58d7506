"""Inference patterns: against a gradient for each image and attribute, and the score they add up to; their cosines."""

import numpy as np
import pytest
import torch
from torch import nn

from debugset.relations.networks import SmallAlexNet
from debugset.relations.patterns import cosines, inference_patterns
from tests.reference import relations as naive


def in_place_network():
    """As torchvision's AlexNet: what follows the layer overwrites its output."""
    layers = [nn.Conv2d(3, 5, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(5, 4, 3), nn.ReLU(inplace=True)]
    return nn.Sequential(nn.Sequential(*layers), nn.Flatten(), nn.Dropout(), nn.Linear(4 * 25, 3))


def batch_norm_network():
    """With running statistics that are not the start's."""
    layers = [nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Conv2d(5, 4, 3), nn.BatchNorm2d(4), nn.ReLU()]
    network = nn.Sequential(nn.Sequential(*layers), nn.Flatten(), nn.Linear(4 * 144, 3))
    network(torch.rand(8, 3, 16, 16))
    return network


def small_alexnet():
    network = SmallAlexNet(3, side=16)
    return nn.Sequential(network.features, network.classifier)


NETWORKS = {"small alexnet": small_alexnet, "in place": in_place_network, "batch norm": batch_norm_network}


def made(name):
    torch.manual_seed(0)
    return NETWORKS[name]().eval()


def halves(network, cut):
    """What is before and after the end of a network's ``0.<cut>``, as networks of their own."""
    return network[0][: cut + 1], nn.Sequential(network[0][cut + 1 :], *network[1:])


def pixels(count=5):
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("cut", [0, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_equal_one_backward_pass_for_each_image_and_attribute(name, cut):
    network = made(name)
    found = inference_patterns(network, f"0.{cut}", pixels())
    before, after = halves(network, cut)
    expected = naive.gradients(before, after, pixels(), range(3))
    assert expected.abs().amax() > 1e-3
    torch.testing.assert_close(found.gradients, expected, atol=1e-5, rtol=0)
    x = before(pixels()).detach()
    torch.testing.assert_close(found.activations, x.flatten(1), atol=1e-6, rtol=0)
    assert found.shape == tuple(x.shape[1:])
    torch.testing.assert_close(found.scores, network(pixels()).detach(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_image_s_patterns_do_not_depend_on_its_batch(name):
    network = made(name)
    whole = inference_patterns(network, "0.0", pixels(5))
    for rows in (slice(0, 3), slice(3, 5), slice(4, 5)):  # the last batches are smaller
        part = inference_patterns(network, "0.0", pixels(5)[rows])
        torch.testing.assert_close(part.gradients, whole.gradients[rows], atol=1e-5, rtol=0)


@pytest.mark.parametrize("wished", [[2], [2, 0], [1, 1]])
def test_the_attributes_wished_come_in_their_order(wished):
    network = made("small alexnet")
    whole, found = inference_patterns(network, "0.0", pixels()), inference_patterns(network, "0.0", pixels(), wished)
    torch.testing.assert_close(found.gradients, whole.gradients[:, wished], atol=1e-6, rtol=0)
    assert torch.equal(found.scores, whole.scores[:, wished])


def offsets(patterns):
    """Beta, what the linear form leaves: Y - nu x."""
    return patterns.scores - torch.einsum("bax,bx->ba", patterns.gradients, patterns.activations)


def test_the_offset_of_the_linear_form_is_what_biases_add():
    network = made("small alexnet")
    assert offsets(inference_patterns(network, "0.0", pixels())).abs().min() > 1e-4
    for name, parameter in network.named_parameters():  # without biases after the layer a ReLU network has no offset
        if name.endswith("bias") and name != "0.0.bias":
            nn.init.zeros_(parameter)
    unbiased = inference_patterns(network, "0.0", pixels())
    assert unbiased.scores.abs().max() > 1e-3
    torch.testing.assert_close(offsets(unbiased), torch.zeros(5, 3), atol=1e-6, rtol=0)


def test_the_network_stays_as_it_was():
    network, before = made("in place"), made("in place").state_dict()
    with torch.no_grad():
        inference_patterns(network, "0.0", pixels())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not network[0][0]._forward_hooks
    scores = network(pixels())
    assert scores.requires_grad  # no hook cuts it any more
    frozen = inference_patterns(network.requires_grad_(False), "0.0", pixels())
    torch.testing.assert_close(frozen.scores, scores.detach())


def test_an_attribute_that_nothing_moves_has_a_zero_pattern_that_shares_nothing():
    network = made("small alexnet")
    with torch.no_grad():
        network[1][-1].weight[1] = 0
    found = inference_patterns(network, "0.0", pixels())
    assert (found.gradients[:, 1] == 0).all()
    assert (found.gradients[:, 0] != 0).any()
    shared = cosines(found.gradients)
    assert (shared[:, 1] == 0).all()
    assert (shared[:, 0, 0] > 0.999).all()


class Unreached(nn.Module):
    """A second score that does not come from the layer, and a layer that never runs."""

    def __init__(self):
        super().__init__()
        self.layer, self.other, self.idle = nn.Linear(12, 4), nn.Linear(12, 4), nn.Linear(4, 4)

    def forward(self, images):
        flat = images.flatten(1)
        return torch.stack([self.layer(flat).sum(1), self.other(flat).sum(1)], 1)


class Unused(Unreached):
    """A layer that runs, but no score comes from it."""

    def forward(self, images):
        self.layer(images.flatten(1))
        return self.other(images.flatten(1))


def test_a_score_that_does_not_pass_through_the_layer_has_no_pattern():
    assert (inference_patterns(Unused().eval(), "layer", torch.rand(2, 3, 2, 2)).gradients == 0).all()
    found = inference_patterns(Unreached().eval(), "layer", torch.rand(2, 3, 2, 2))
    assert (found.gradients[:, 0] == 1).all()
    assert (found.gradients[:, 1] == 0).all()


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.last = nn.Conv2d(3, 3, 1), nn.Linear(12, 2)

    def forward(self, images):
        return self.last(self.layer(self.layer(images)).flatten(1))


def test_what_cannot_be_looked_into_is_refused_and_leaves_no_hook():
    network = made("batch norm")
    with pytest.raises(ValueError, match=r"network: it is in training mode.*call eval\(\) first"):
        inference_patterns(network.train(), "0.0", pixels())
    with pytest.raises(ValueError, match=r"relations\.layer: the network has no layer 'features\.9'; it has 0, 0\.0"):
        inference_patterns(network.eval(), "features.9", pixels())
    with pytest.raises(ValueError, match=r"relations\.layer: the network has no layer ''"):
        inference_patterns(network, "", pixels())
    twice = Twice().eval()
    with pytest.raises(ValueError, match=r"relations\.layer: layer ran 2 times on a batch; name a layer that runs onc"):
        inference_patterns(twice, "layer", torch.rand(1, 3, 2, 2))
    assert not twice.layer._forward_hooks
    with pytest.raises(ValueError, match="idle ran 0 times"):
        inference_patterns(Unreached().eval(), "idle", torch.rand(1, 3, 2, 2))


def vectors(images=4, attributes=5, units=30, random_state=0, dtype=np.float32):
    return np.random.default_rng(random_state).normal(size=(images, attributes, units)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cosines_equal_loops(dtype):
    given = vectors(dtype=dtype) * np.logspace(-6, 6, 5)[:, None].astype(dtype)
    found = cosines(given)
    expected = [[[naive.cosine(one, other) for other in image] for one in image] for image in given]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert found.dtype == np.float32
    assert np.array_equal(found, found.swapaxes(1, 2))


def test_a_pattern_with_itself_is_one_with_its_opposite_minus_one_and_never_beyond():
    given = vectors(images=300, attributes=3, units=7)
    given[:, 1], given[:, 2] = 3 * given[:, 0], -0.1 * given[:, 0]
    found = cosines(given)
    np.testing.assert_allclose(found[:, [0, 0, 1], [0, 1, 1]], 1, atol=1e-6)
    np.testing.assert_allclose(found[:, :2, 2], -1, atol=1e-6)
    assert np.abs(found).max() <= 1


def test_a_zero_pattern_shares_nothing_even_with_itself():
    given = vectors()
    given[1, 2] = 0
    found = cosines(given)
    assert (found[1, 2] == 0).all()
    assert (found[1, :, 2] == 0).all()
    assert found[0, 2, 2] == pytest.approx(1)


def test_orthogonal_patterns_share_nothing():
    assert cosines(np.eye(3)[None]).tolist() == np.eye(3)[None].tolist()


def test_tensors_and_arrays_have_the_same_cosines():
    given = torch.randn(6, 4, 30, generator=torch.Generator().manual_seed(0))
    given[2, 1] = 0
    given[3, 2] = -5 * given[3, 0]
    found = cosines(given)
    assert np.array_equal(found, cosines(given.numpy()))
    assert found[3, 0, 2] == pytest.approx(-1, abs=1e-6)
    assert np.abs(cosines(1000 * given)).max() <= 1
    assert cosines(torch.tensor([[[1.0, 0], [0, 0]]])).tolist() == [[[1, 0], [0, 0]]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_missing_value_is_refused(bad):
    given = vectors()
    given[3, 1, 4] = bad
    for patterns in (given, torch.from_numpy(given)):
        with pytest.raises(ValueError, match="patterns: a value is missing or infinite"):
            cosines(patterns)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32])
def test_integer_patterns_have_the_cosines_of_floats(dtype):
    given = np.array([[[100, 50, 0], [100, 0, 100]], [[1, 0, 0], [0, 90, 120]]], dtype)
    expected = cosines(given.astype(np.float64))
    assert expected[0, 0, 1] == pytest.approx(0.632456)
    for patterns in (given, torch.from_numpy(given), given.tolist()):
        assert cosines(patterns).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("patterns", "line"),
    [
        (np.eye(3), r"^patterns: expected images x attributes x units, got shape \(3, 3\)$"),
        (torch.eye(3), r"^patterns: expected images x attributes x units, got shape \(3, 3\)$"),
        ([[["a"]]], r"^patterns: expected an array of numbers, got shape \(1, 1, 1\) of <U1$"),
        ([[[1.0], [1.0, 2.0]]], r"^patterns: is no array .*; pass an array, or rows of equal length$"),
    ],
)
def test_patterns_that_are_none_are_refused(patterns, line):
    with pytest.raises(ValueError, match=line):
        cosines(patterns)
