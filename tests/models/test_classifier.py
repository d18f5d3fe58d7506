"""Stored models: what is loaded is bit for bit what was saved, or an error."""

from dataclasses import replace

import pytest
import torch

from debugset.base.files import read_json, sha256, write_json
from debugset.models.classifier import (
    DESCRIPTION,
    WEIGHTS,
    Classifier,
    Description,
    build,
    fingerprint,
    load_model,
    read_description,
    save_model,
)
from debugset.models.registry import REGISTRY

# thirds are not short in decimals: a rounded normalisation would show
ODD = replace(REGISTRY["test_resnet"], mean=(1 / 3, 0.5, 2 / 3), std=(127 / 255, 0.1, 1 / 7))
CLASSES = ("ant", "bee", "cow")


@pytest.fixture
def stored(tmp_path):
    torch.manual_seed(0)
    classifier = build(ODD, len(CLASSES)).eval().to(memory_format=torch.channels_last)
    save_model(tmp_path / "model", classifier, Description("test_resnet", ODD, CLASSES, "here", scores={"clean": 0.5}))
    return classifier, tmp_path / "model"


def test_a_loaded_model_gives_the_same_bits(stored):
    classifier, folder = stored
    loaded, description = load_model(folder)
    pixels = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    pixels = pixels.to(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert torch.equal(loaded.to(memory_format=torch.channels_last)(pixels), classifier(pixels))
        assert torch.equal(loaded.features(pixels), classifier.features(pixels))
    assert not loaded.training
    expected = Description("test_resnet", ODD, CLASSES, "here", sha256(folder / WEIGHTS), {"clean": 0.5})
    assert description == expected


def test_a_model_folder_holds_safetensors_and_json_only(stored):
    _, folder = stored
    assert sorted(path.name for path in folder.iterdir()) == [DESCRIPTION, WEIGHTS]
    assert read_json(folder / DESCRIPTION)["weights_sha256"] == sha256(folder / WEIGHTS)


def test_tampered_weights_are_an_error(stored):
    _, folder = stored
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(
        ValueError, match=r"model.safetensors: not the weights that model.json tells of \(its SHA-256 is "
    ):
        load_model(folder)


def test_a_missing_model_names_the_mend(tmp_path):
    for read in (read_description, load_model):
        with pytest.raises(FileNotFoundError, match="run the stage that makes it, or `dvc pull`"):
            read(tmp_path / "nothing")


def test_the_classifier_normalises_its_pixels():
    classifier = build(ODD, 3).eval()
    pixels = torch.rand(2, 3, 32, 32)
    by_hand = torch.stack([(pixels[:, c] - ODD.mean[c]) / ODD.std[c] for c in range(3)], dim=1)
    with torch.inference_mode():
        torch.testing.assert_close(classifier(pixels), classifier.backbone(by_hand))


@pytest.mark.parametrize("name", ["test_resnet", "effnet_lite0"])
def test_features_are_what_the_decision_layer_sees(name):
    architecture = REGISTRY[name]
    classifier = build(architecture, 5).eval()
    pixels = torch.rand(2, 3, architecture.input_size, architecture.input_size)
    with torch.inference_mode():
        features = classifier.features(pixels)
        assert features.shape == (2, classifier.backbone.num_features)
        torch.testing.assert_close(classifier.backbone.get_classifier()(features), classifier(pixels))


def test_a_model_without_outputs_is_stored_too(tmp_path):
    classifier = build(ODD, 0).eval()
    save_model(tmp_path / "model", classifier, Description("test_resnet", ODD, (), "here"))
    pixels = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(load_model(tmp_path / "model")[0](pixels), classifier.features(pixels))


def test_the_fingerprint_is_of_weights_and_preprocessing_alone():
    base = Description("a", ODD, CLASSES, "here", "1" * 64)
    same = [replace(base, name="b"), replace(base, origin="there"), replace(base, scores={"clean": 1.0})]
    others = [replace(base, weights_sha256="2" * 64)]
    changes = ({"input_size": 64}, {"crop": 0.9}, {"interpolation": "bicubic"}, {"mean": (0.0, 0.0, 0.0)})
    others += [replace(base, architecture=replace(ODD, **change)) for change in changes]
    assert {fingerprint(description) for description in same} == {fingerprint(base)}
    assert len({fingerprint(description) for description in [base, *others]}) == 1 + len(others)


def test_normalisation_moves_with_the_model_but_is_not_among_its_weights():
    classifier = Classifier(torch.nn.Identity(), (0.5,) * 3, (0.25,) * 3)
    assert classifier.state_dict() == {}
    assert classifier.to(torch.float64).mean.dtype == torch.float64


def test_a_model_without_its_weights_is_named(stored):
    _, folder = stored
    (folder / WEIGHTS).unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors: no such file; restore it by `dvc checkout`"):
        load_model(folder)


def test_weights_that_are_no_safetensors_are_named_though_their_digest_fits(stored):
    _, folder = stored
    (folder / WEIGHTS).write_bytes(b"hello")
    write_json(folder / DESCRIPTION, read_json(folder / DESCRIPTION) | {"weights_sha256": sha256(folder / WEIGHTS)})
    with pytest.raises(
        ValueError, match=r"model\.safetensors: not the weights that model\.json tells of \(Error while"
    ):
        load_model(folder)


@pytest.mark.parametrize("change", [{"architecture": 3}, {"classes": None}, {"more": 1}, {"architecture": {"side": 3}}])
def test_a_description_of_another_kind_is_named(stored, change):
    _, folder = stored
    write_json(folder / DESCRIPTION, read_json(folder / DESCRIPTION) | change)
    with pytest.raises(
        ValueError, match=r"model\.json: does not describe a model \(.*\); restore it by `dvc checkout`"
    ):
        read_description(folder)
