"""What a model says of images: they are prepared as it wants them, and the batches change nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from debugset.models import inference
from debugset.models.attacks import l2_attack
from debugset.models.classifier import Classifier
from debugset.models.outputs import outputs, pixel_batches, predictions, prepared
from tests.datasets.tiny import plain, tiny_set
from tests.models.toys import PLAIN, described, mean_colour, small_network

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


@pytest.fixture(autouse=True)
def batches_of_three(monkeypatch):
    monkeypatch.setenv("DEBUGSET_DEVICE", "cpu")
    monkeypatch.setattr(inference, "CPU_PIXELS", 3 * PLAIN.input_size**2)


def colours(count, random_state=0):
    return np.random.default_rng(random_state).integers(0, 256, (count, 3))


@pytest.fixture
def images(tmp_path):
    """Ten plain images, no two alike, in shards of four."""
    return tiny_set(tmp_path / "ten", [plain(colour) for colour in colours(10)], np.arange(10) % 3, per_shard=4)


def stripes(wide):
    """Three squares of 32 px side by side, or one above the other."""
    squares = [plain(colour, 32, 32) for colour in (RED, GREEN, BLUE)]
    return Image.fromarray(np.concatenate(squares, axis=1 if wide else 0))


@pytest.mark.parametrize("wide", [True, False])
def test_the_middle_of_a_long_image_is_kept_as_it_is(wide):
    found = prepared(stripes(wide), replace(PLAIN, input_size=32))
    assert (found == GREEN).all()
    assert found.shape == (32, 32, 3)


@pytest.mark.parametrize("wide", [True, False])
def test_a_long_image_is_resized_by_its_shorter_side(wide):
    found = prepared(stripes(wide), replace(PLAIN, input_size=96, interpolation="bicubic"))
    assert found.shape == (96, 96, 3)
    assert (found[8:-8, 8:-8] == GREEN).all()


def test_a_square_image_of_the_right_size_is_not_touched():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    assert (prepared(image, replace(PLAIN, input_size=32)) == np.asarray(image)).all()


def test_crop_is_the_share_of_the_side_that_is_kept():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    found = prepared(image, replace(PLAIN, input_size=16, crop=0.5))  # resized to 32: as it is
    assert (found == np.asarray(image)[8:24, 8:24]).all()


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_the_filter_is_the_one_that_the_architecture_names(interpolation):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    found = prepared(image, replace(PLAIN, input_size=96, interpolation=interpolation))
    assert (found == np.asarray(image.resize((96, 96), Image.Resampling[interpolation.upper()]))).all()


@pytest.mark.parametrize("size", [(33, 50), (50, 33), (7, 300), (1, 1), (225, 224), (1000, 31)])
@pytest.mark.parametrize(("side", "crop"), [(32, 1.0), (224, 0.875), (33, 0.9)])
def test_no_shape_lets_a_border_in(size, side, crop):
    found = prepared(Image.new("RGB", size, (200, 100, 50)), replace(PLAIN, input_size=side, crop=crop))
    assert found.shape == (side, side, 3)
    assert (found == (200, 100, 50)).all()


def test_batches_come_in_the_order_asked_with_an_uneven_last_one(images):
    rows = np.array([9, 0, 3, 3, 7])
    batches = list(pixel_batches(images, rows, PLAIN, 2))
    assert [tuple(batch.shape) for batch in batches] == [(2, 3, 8, 8), (2, 3, 8, 8), (1, 3, 8, 8)]
    found = torch.cat(batches)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[:, :, 4, 4], torch.from_numpy(colours(10)[rows] / 255).float())
    assert list(pixel_batches(images, rows[:0], PLAIN, 2)) == []
    assert [len(batch) for batch in pixel_batches(images, rows[:4], PLAIN, 4)] == [4]


@pytest.mark.parametrize("workers", ["1", "4"])
def test_outputs_equal_an_image_at_a_time(images, monkeypatch, workers):
    monkeypatch.setenv("DEBUGSET_WORKERS", workers)
    classifier = Classifier(small_network(), (0.5,) * 3, (0.25,) * 3).eval()
    rows = np.arange(10)[::-1].copy()
    found = outputs(classifier, images, rows, PLAIN, of="logits", precision="fp32")
    with torch.inference_mode():
        singly = [
            classifier(torch.from_numpy(images.pixels([row], 8)).permute(0, 3, 1, 2) / 255) for row in rows.tolist()
        ]
    np.testing.assert_allclose(found, torch.cat(singly).numpy(), rtol=1e-4, atol=1e-5)


def test_outputs_are_float32_at_any_precision(images):
    classifier = Classifier(small_network(), (0.5,) * 3, (0.25,) * 3).eval()
    full, half = (
        outputs(classifier, images, np.arange(10), PLAIN, of="logits", precision=precision)
        for precision in ("fp32", "bf16")
    )
    assert half.dtype == full.dtype == np.float32
    assert not np.array_equal(half, full)
    np.testing.assert_allclose(half, full, atol=0.1)


def test_a_model_can_be_attacked_and_trained_after_it_was_asked(images):
    network = small_network()
    classifier = Classifier(network, (0.5,) * 3, (0.25,) * 3).eval()
    outputs(classifier, images, np.arange(10), PLAIN, of="logits", precision="fp32")
    pixels, labels = torch.rand(2, 3, 8, 8), torch.tensor([0, 1])
    l2_attack(classifier, pixels, labels, radius=0.5, step=0.1, steps=1)
    classifier.train()(pixels).sum().backward()
    assert network[0].weight.grad is not None


def test_predictions_are_the_largest_logits(images):
    rows = np.array([4, 1, 8])
    found = predictions(mean_colour(), described(), images, rows, precision="fp32")
    assert found.tolist() == colours(10)[rows].argmax(axis=1).tolist()
    assert found.dtype == np.int64


def test_predictions_of_no_images_are_none(images):
    found = predictions(mean_colour(), described(), images, np.empty(0, np.int64), precision="fp32")
    assert found.dtype == np.int64
    assert found.shape == (0,)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_outputs_are_the_same_on_a_gpu(images, monkeypatch):
    classifier = Classifier(small_network(), (0.5,) * 3, (0.25,) * 3).eval()
    found = []
    for where in ("cpu", "cuda"):
        monkeypatch.setenv("DEBUGSET_DEVICE", where)
        found.append(outputs(inference.ready(classifier), images, np.arange(10), PLAIN, of="logits", precision="fp32"))
    np.testing.assert_allclose(found[0], found[1], atol=1e-2)
