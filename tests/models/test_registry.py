"""The registry: what a parameter may name."""

import pytest
import timm

from debugset.models.registry import REGISTRY, find_architecture


@pytest.mark.parametrize("name", REGISTRY)
def test_every_registered_architecture_is_one_of_timm(name):
    architecture = find_architecture(name)
    assert architecture is REGISTRY[name]
    assert timm.is_model(architecture.timm_name)
    assert (architecture.source == "package") == bool(architecture.weights_sha256)


def test_a_timm_model_is_found_with_its_hub_preprocessing():
    found = find_architecture("vit_base_patch16_clip_224.openai_ft_in1k")
    assert (found.timm_name, found.source) == ("vit_base_patch16_clip_224.openai_ft_in1k", "hub")
    assert (found.input_size, found.crop, found.interpolation) == (224, 0.9, "bicubic")
    assert found.mean == pytest.approx((0.4815, 0.4578, 0.4082), abs=1e-4)  # CLIP's, not ImageNet's


@pytest.mark.parametrize("name", ["resnet51", "", "resnet18.no_such_weights"])
def test_an_unknown_name_is_an_error_that_names_it(name):
    with pytest.raises(ValueError, match=f"model `{name}`"):
        find_architecture(name)


def test_dino_is_prepared_as_its_authors_do():
    for name, patch in (("dino_s8", 8), ("dino_s16", 16)):
        hub = timm.get_pretrained_cfg(REGISTRY[name].timm_name)
        ours = REGISTRY[name]
        assert f"patch{patch}" in ours.timm_name
        assert (ours.input_size, ours.crop, ours.interpolation) == (224, hub.crop_pct, hub.interpolation)
        assert (ours.mean, ours.std) == (hub.mean, hub.std)


def test_efficientnet_lite_is_normalised_as_in_tensorflow():
    ours = find_architecture("effnet_lite0")
    assert ours.mean == (127 / 255,) * 3
    assert ours.std == (128 / 255,) * 3
