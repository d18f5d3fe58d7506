"""The training loop: it learns, repeats for a random state, and a global batch is the same on any number of devices."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from debugset.models.params import RobustParams
from debugset.training.batches import TrainingSet
from debugset.training.fitting import training_attack, whole_set
from debugset.training.loop import device_count, fit, optimiser_and_schedule, weighted_cross_entropy
from tests.datasets.tiny import plain, tiny_set
from tests.training.toys import coloured_set, network, recipe


@pytest.fixture(autouse=True)
def one_cpu(monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "cpu")
    monkeypatch.delenv("DEBUGSET_DEVICES", raising=False)


@pytest.fixture
def data(tmp_path):
    """Plain images, to which shift and mirror do nothing; classes of unequal weight."""
    images = coloured_set(tmp_path / "images", 24)
    weights = np.array([0.2, 1.0, 3.0], np.float32)[images.labels]
    return TrainingSet([(images, np.arange(24))], images.labels, weights)


def weights_of(classifier):
    return {name: tensor.clone() for name, tensor in classifier.state_dict().items()}


def assert_equal(one, other, tolerance=0.0):
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=tolerance, rtol=0, msg=name)


def untrained_attack():
    """An attack that is still in its clean steps: what is trained on stays comparable."""
    return training_attack(
        RobustParams(
            architecture="toy", file=None, file_sha256=None, random_state=0, steps=6, peak_lr=0.1, label_smoothing=0.0,
            radius=0.5, attack_steps=1, attack_step=0.5, clean_steps=99, evaluation_steps=1, evaluation_images=1,
        )
    )  # fmt: skip


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_a_separable_set_is_learnt(tmp_path, precision, batch_norm):
    labels = np.arange(24) % 3
    noise = np.random.default_rng(0).integers(0, 100, (24, 8, 8, 3))
    images = tiny_set(tmp_path, noise + 150 * np.eye(3, dtype=int)[labels][:, None, None], labels)
    settings = recipe(steps=40, batch=8, precision=precision)
    classifier = fit(network(batch_norm=batch_norm), whole_set(images), settings, 8, 0)
    pixels = torch.from_numpy(images.pixels(range(24), 8)).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        assert classifier(pixels).argmax(1).tolist() == labels.tolist()
    assert not classifier.training
    assert {tensor.dtype for tensor in classifier.parameters()} == {torch.float32}


def test_a_seed_repeats_every_bit_and_another_does_not(data):
    first, again, other = (
        weights_of(fit(network(batch_norm=True), data, recipe(), 8, random_state)) for random_state in (0, 0, 1)
    )
    assert_equal(first, again)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_the_loop_takes_the_steps_of_a_plain_loop(data):
    """No Fabric, no threads: the same images in the same order through SGD on the weighted loss."""
    settings = recipe(steps=5, batch=8, label_smoothing=0.1)
    found = weights_of(fit(network(), data, settings, 8, 3))
    model, images = network(), data.parts[0][0]
    optimiser, schedule = optimiser_and_schedule(model, settings)
    rng, waiting = np.random.default_rng([3, 1]), []
    for _ in range(5):
        while len(waiting) < 8:
            waiting += rng.permutation(24).tolist()
        rows, waiting = waiting[:8], waiting[8:]
        pixels = torch.from_numpy(images.pixels(rows, 8)).permute(0, 3, 1, 2) / 255
        labels, weights = torch.tensor(data.labels[rows]), torch.tensor(data.weights[rows])
        losses = F.cross_entropy(model(pixels), labels, reduction="none", label_smoothing=0.1)
        optimiser.zero_grad()
        ((losses * weights).sum() / weights.sum()).backward()
        optimiser.step()
        schedule.step()
    assert_equal(found, weights_of(model), 1e-5)


def absolute_error(outputs, values, weights):
    """A loss that is not the default: of attributes, weighted."""
    return ((outputs - values).abs().sum(1) * weights).sum() / weights.sum()


def with_attributes(data):
    values = np.stack([data.labels, 1 - data.labels, data.labels * 0 + 2], 1).astype(np.float32)
    return TrainingSet(data.parts, values, data.weights)


def test_another_loss_is_minimised_and_labels_may_be_attributes(data):
    """No Fabric: the first step by hand."""
    settings = recipe(steps=1, batch=8, augmentation="none")
    attributed, model = with_attributes(data), network()
    found = weights_of(fit(network(), attributed, settings, 8, 3, loss=absolute_error))
    optimiser, _ = optimiser_and_schedule(model, settings)
    rows = np.random.default_rng([3, 1]).permutation(24)[:8]
    pixels = torch.from_numpy(data.parts[0][0].pixels(rows.tolist(), 8)).permute(0, 3, 1, 2) / 255
    values, weights = torch.tensor(attributed.labels[rows]), torch.tensor(data.weights[rows])
    absolute_error(model(pixels), values, weights).backward()
    optimiser.step()
    assert_equal(found, weights_of(model), 1e-5)
    assert any(not torch.equal(found[name], tensor) for name, tensor in network().state_dict().items())


def test_the_default_loss_is_cross_entropy_with_the_recipe_s_smoothing(data):
    def smoothed(outputs, labels, weights):
        return weighted_cross_entropy(outputs, labels, weights, 0.1)

    default, given = (
        weights_of(fit(network(), data, recipe(label_smoothing=0.1 * (loss is None)), 8, 0, loss=loss))
        for loss in (None, smoothed)
    )
    assert_equal(default, given)


def test_two_processes_take_the_steps_of_one(data, monkeypatch):
    settings = recipe(steps=4, batch=8)
    one = weights_of(fit(network(), data, settings, 8, 0))
    monkeypatch.setenv("DEBUGSET_DEVICES", "2")
    classifier = network()
    two = fit(classifier, data, settings, 8, 0, attack=untrained_attack())
    assert two is classifier
    assert not two.training
    assert_equal(one, weights_of(two), 1e-5)
    assert any(not torch.equal(one[name], tensor) for name, tensor in network().state_dict().items())


def test_an_attack_gets_every_step_and_its_images_are_trained_on(data, tmp_path):
    steps = []

    def blacken(model, pixels, labels, step):
        steps.append(step)
        assert model(pixels).shape == (4, 3)
        return pixels * 0

    found = weights_of(fit(network(), data, recipe(steps=3), 8, 0, attack=blacken))
    assert steps == [0, 1, 2]
    images = tiny_set(tmp_path / "black", [plain((0, 0, 0))] * 24, data.labels)
    black = TrainingSet([(images, np.arange(24))], data.labels, data.weights)
    assert_equal(found, weights_of(fit(network(), black, recipe(steps=3), 8, 0)))


def test_an_empty_training_set_is_an_error(tmp_path):
    images = coloured_set(tmp_path, 3)
    nothing = TrainingSet([(images, np.empty(0, np.int64))], np.empty(0, np.int64), np.empty(0, np.float32))
    with pytest.raises(ValueError, match="the training set is empty"):
        fit(network(), nothing, recipe(), 8, 0)


def test_a_batch_that_does_not_divide_among_the_devices_is_an_error(data, monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICES", "3")
    with pytest.raises(ValueError, match=r"recipe.batch: 4 images do not divide among 3 devices"):
        fit(network(), data, recipe(), 8, 0)


def test_one_device_trains_unless_the_environment_says(monkeypatch):
    assert device_count() == 1
    monkeypatch.setenv("DEBUGSET_DEVICES", "4")
    assert device_count() == 4


def test_the_weighted_loss_is_torchs_with_class_weights():
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(20, 3, generator=generator), torch.arange(20) % 3
    classes = torch.tensor([0.2, 1.0, 3.0])
    expected = F.cross_entropy(logits, labels, weight=classes)
    torch.testing.assert_close(weighted_cross_entropy(logits, labels, classes[labels], 0.0), expected)
    ones = weighted_cross_entropy(logits, labels, torch.ones(20), 0.1)
    torch.testing.assert_close(ones, F.cross_entropy(logits, labels, label_smoothing=0.1))


def rates(**changes):
    settings = recipe(**changes)
    optimiser, schedule = optimiser_and_schedule(network(), settings)
    found = []
    for _ in range(settings.steps):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    return found


def test_the_rate_rises_to_its_peak_after_the_warm_up_and_falls_to_nothing():
    found = rates(steps=100, peak_lr=0.3, warmup=0.25)
    peak = int(np.argmax(found))
    assert abs(peak - 25) <= 1
    assert max(found) == pytest.approx(0.3, rel=1e-3)
    assert found == sorted(found[:peak]) + sorted(found[peak:], reverse=True)
    assert 0 < found[-1] < 0.001


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("warmup", [0.0, 0.25, 0.5, 0.9])
def test_no_number_of_steps_is_too_small_for_the_schedule(steps, warmup):
    assert all(0 < rate <= 0.1 for rate in rates(steps=steps, warmup=warmup))


def test_the_optimiser_is_sgd_with_nesterov_momentum_and_decay():
    settings = optimiser_and_schedule(network(), recipe(momentum=0.8, weight_decay=0.01))[0].param_groups[0]
    assert (settings["momentum"], settings["weight_decay"], settings["nesterov"]) == (0.8, 0.01, True)
    assert not optimiser_and_schedule(network(), recipe(momentum=0.0))[0].param_groups[0]["nesterov"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_takes_the_steps_of_the_cpu(data, monkeypatch):
    on_cpu = weights_of(fit(network(batch_norm=True), data, recipe(), 8, 0))
    monkeypatch.setenv("DEBUGSET_DEVICE", "cuda")
    found = fit(network(batch_norm=True), data, recipe(), 8, 0)
    assert {tensor.device.type for tensor in found.parameters()} == {"cpu"}
    assert_equal(on_cpu, weights_of(found), 1e-2)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_two_gpus_take_the_steps_of_one_with_batch_norm_over_both(data, monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "cuda")
    one = weights_of(fit(network(batch_norm=True), data, recipe(), 8, 0))
    monkeypatch.setenv("DEBUGSET_DEVICES", "2")
    assert_equal(one, weights_of(fit(network(batch_norm=True), data, recipe(), 8, 0)), 1e-2)


def test_one_device_by_name_and_several_by_number_contradict_each_other(data, monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "cpu:0")
    monkeypatch.setenv("DEBUGSET_DEVICES", "2")
    with pytest.raises(ValueError, match="DEBUGSET_DEVICE=cpu:0: names one device, but DEBUGSET_DEVICES asks for 2"):
        fit(network(), data, recipe(), 8, 0)
