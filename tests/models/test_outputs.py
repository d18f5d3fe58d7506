"""What a model says of images: they are prepared as it wants them, and the batches change nothing."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from debugset.images.pixels import square_pixels
from debugset.models import inference
from debugset.models.attacks import l2_attack
from debugset.models.classifier import Classifier
from debugset.models.outputs import compute_outputs, outputs_of_pixels, pixel_batches, png_files, predict, predict_table
from tests.datasets.tiny import plain, tiny_set
from tests.models.toys import PLAIN, described, mean_colour, small_network
from tests.reference import pixels as naive


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


def test_batches_come_in_the_order_asked_with_an_uneven_last_one(images):
    rows = np.array([9, 0, 3, 3, 7])
    batches = list(pixel_batches(images, rows, PLAIN, 2))
    assert [tuple(batch.shape) for batch in batches] == [(2, 3, 8, 8), (2, 3, 8, 8), (1, 3, 8, 8)]
    found = torch.cat(batches)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[:, :, 4, 4], torch.from_numpy(colours(10)[rows] / 255).float())
    assert list(pixel_batches(images, rows[:0], PLAIN, 2)) == []
    assert [len(batch) for batch in pixel_batches(images, rows[:4], PLAIN, 4)] == [4]


def test_images_are_fed_as_the_architecture_says(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (2, 40, 60, 3))
    images = tiny_set(tmp_path, noise, [0, 1])
    wished = replace(PLAIN, input_size=32, crop=0.875, interpolation="bicubic")
    (found,) = pixel_batches(images, np.arange(2), wished, 2)
    expected = [naive.square_pixels(images.image(row), 32, 0.875, "bicubic") for row in range(2)]
    assert torch.equal((found * 255).round().byte(), torch.from_numpy(np.stack(expected)).permute(0, 3, 1, 2))


@pytest.mark.parametrize("workers", ["1", "4"])
def test_outputs_equal_an_image_at_a_time(images, monkeypatch, workers):
    monkeypatch.setenv("DEBUGSET_WORKERS", workers)
    classifier = Classifier(small_network(), (0.5,) * 3, (0.25,) * 3).eval()
    rows = np.arange(10)[::-1].copy()
    found = compute_outputs(classifier, images, rows, PLAIN, "fp32")
    with torch.inference_mode():
        singly = [
            classifier(torch.from_numpy(images.pixels([row], 8)).permute(0, 3, 1, 2) / 255) for row in rows.tolist()
        ]
    np.testing.assert_allclose(found, torch.cat(singly).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_outputs_of_pixels_in_memory_are_those_of_the_same_images(images, precision):
    classifier = Classifier(small_network(), (0.5,) * 3, (0.25,) * 3).eval()
    rows = np.array([9, 0, 3, 3, 7, 1, 2])
    pixels = np.stack([square_pixels(images.image(row), 8) for row in rows.tolist()])
    found = outputs_of_pixels(classifier, pixels, PLAIN, precision)
    assert found.dtype == np.float32
    assert np.array_equal(found, compute_outputs(classifier, images, rows, PLAIN, precision))
    assert outputs_of_pixels(classifier, pixels[:0], PLAIN, precision).shape == (0, 0)


def test_pixels_of_another_size_are_refused(images):
    with pytest.raises(ValueError, match=r"^pixels: the model takes 8 x 8 px, got 8 x 9; resize them$"):
        outputs_of_pixels(mean_colour(), np.zeros((1, 8, 9, 3), np.uint8), PLAIN, "fp32")


def test_outputs_are_float32_at_any_precision(images):
    classifier = Classifier(small_network(), (0.5,) * 3, (0.25,) * 3).eval()
    full, half = (
        compute_outputs(classifier, images, np.arange(10), PLAIN, precision) for precision in ("fp32", "bf16")
    )
    assert half.dtype == full.dtype == np.float32
    assert not np.array_equal(half, full)
    np.testing.assert_allclose(half, full, atol=0.1)


def test_a_model_can_be_attacked_and_trained_after_it_was_asked(images):
    network = small_network()
    classifier = Classifier(network, (0.5,) * 3, (0.25,) * 3).eval()
    compute_outputs(classifier, images, np.arange(10), PLAIN, "fp32")
    pixels, labels = torch.rand(2, 3, 8, 8), torch.tensor([0, 1])
    l2_attack(classifier, pixels, labels, radius=0.5, step=0.1, steps=1)
    classifier.train()(pixels).sum().backward()
    assert network[0].weight.grad is not None


def test_predictions_are_the_largest_logits(images):
    rows = np.array([4, 1, 8])
    found = predict(mean_colour(), described(), images, rows, "fp32")
    assert found.tolist() == colours(10)[rows].argmax(axis=1).tolist()
    assert found.dtype == np.int64


def test_features_are_what_the_decision_layer_sees(images):
    rows = np.array([4, 1, 8])
    found = compute_outputs(mean_colour().features, images, rows, PLAIN, "fp32")
    np.testing.assert_allclose(found, colours(10)[rows] / 255, atol=1e-6)


def test_a_table_of_predictions_names_the_images_and_their_labels(images):
    rows = np.array([4, 1, 8])
    table = predict_table(mean_colour(), described(), images, rows, "fp32")
    assert table.columns.tolist() == ["image_id", "label", "predicted"]
    assert table["image_id"].tolist() == ["00004", "00001", "00008"]
    assert table["label"].tolist() == images.labels[rows].tolist()
    assert table["predicted"].tolist() == colours(10)[rows].argmax(axis=1).tolist()


def test_predictions_of_no_images_are_none(images):
    found = predict(mean_colour(), described(), images, np.empty(0, np.int64), "fp32")
    assert found.dtype == np.int64
    assert found.shape == (0,)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_outputs_are_the_same_on_a_gpu(images, monkeypatch):
    classifier = Classifier(small_network(), (0.5,) * 3, (0.25,) * 3).eval()
    found = []
    for where in ("cpu", "cuda"):
        monkeypatch.setenv("DEBUGSET_DEVICE", where)
        found.append(compute_outputs(inference.prepare_for_inference(classifier), images, np.arange(10), PLAIN, "fp32"))
    np.testing.assert_allclose(found[0], found[1], atol=1e-2)


def decoded(file):
    image = Image.open(io.BytesIO(file))
    assert image.format == "PNG"
    return np.asarray(image)


def test_pixels_come_back_from_their_files():
    pixels = torch.rand(3, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    for image, plain_file, small_file in zip(pixels, png_files(pixels), png_files(pixels, optimize=True), strict=True):
        for file in (plain_file, small_file):
            assert np.array_equal(decoded(file), (image * 255).round().byte().permute(1, 2, 0).numpy())
    assert decoded(png_files(torch.full((1, 3, 1, 1), 1.7))[0]).tolist() == [[[255, 255, 255]]]


@pytest.mark.parametrize(
    "rows", [[3, 0, 9], np.array([3.0, 0, 9]), np.array([3, 0, 9], np.uint8), pd.Series([3, 0, 9])]
)
def test_rows_of_any_type_are_the_same_images(images, rows):
    found, wished = (list(pixel_batches(images, which, PLAIN, 2)) for which in (rows, np.array([3, 0, 9])))
    assert all(torch.equal(one, other) for one, other in zip(found, wished, strict=True))
    table = predict_table(mean_colour(), described(), images, rows, "fp32")
    assert table["image_id"].tolist() == images.ids[[3, 0, 9]].tolist()


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (
            np.arange(10) < 3,
            r"^rows: expected row numbers from 0 to 9, but rows\[0\] is True; np.flatnonzero\(mask\) gives",
        ),
        (
            [True] + [False] * 9,
            r"^rows: expected row numbers from 0 to 9, but rows\[0\] is True; np.flatnonzero\(mask\)",
        ),
        ([0, 10], r"^rows: expected row numbers from 0 to 9, but rows\[1\] is 10; "),
        ([0, -1], r"^rows: expected row numbers from 0 to 9, but rows\[1\] is -1; "),
        (["a"], r"^rows: expected row numbers from 0 to 9, but rows\[0\] is 'a'; "),
    ],
)
def test_a_mask_is_no_list_of_rows(images, rows, line):
    with pytest.raises(ValueError, match=line):
        list(pixel_batches(images, rows, PLAIN, 2))
    with pytest.raises(ValueError, match=line):
        predict_table(mean_colour(), described(), images, rows, "fp32")
