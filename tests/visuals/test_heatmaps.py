"""Heatmaps: a feature's own map, where it has one, and its gradient."""

import pytest
import torch
from torch import nn

from debugset.models.classifier import Classifier
from debugset.visuals.heatmaps import feature_maps, has_maps, overlay, pixel_gradients
from tests.models.toys import PLAIN
from tests.visuals.toys import pixels, pooled


def test_a_heatmap_is_the_feature_s_map_stretched_and_resized(network):
    images = pixels()
    heat, side = feature_maps(network, images, 5)
    assert side == 4
    assert heat.shape == (5, 32, 32)
    with torch.no_grad():
        maps = network.backbone.forward_features((images - network.mean) / network.std)
        torch.testing.assert_close(
            maps.mean(dim=(2, 3)), network.features(images)
        )  # so the map's index is the feature's
    for image, chosen in zip(heat, maps[:, 5].numpy(), strict=True):
        stretched = (chosen - chosen.min()) / (chosen.max() - chosen.min())
        expected = torch.nn.functional.interpolate(torch.tensor(stretched)[None, None], (32, 32), mode="bilinear")[0, 0]
        torch.testing.assert_close(image, expected)


def test_a_silent_map_has_no_heat_and_no_nan():
    heat, _ = feature_maps(pooled(lambda x: torch.zeros(len(x), 2, 4, 4)), pixels(), 1)
    assert heat.eq(0).all()


@pytest.mark.parametrize(
    "model",
    [
        pooled(lambda x: x.permute(0, 2, 3, 1), lambda maps: maps.mean(dim=(1, 2))),  # channels last
        pooled(lambda x: x, lambda maps: maps.mean(dim=(2, 3)).repeat(1, 2)),  # a layer after pooling
        pooled(lambda x: x, lambda maps: maps.amax(dim=(2, 3))),  # not their mean
    ],
)
def test_maps_that_are_not_the_features_own_are_none(model):
    assert not has_maps(model, pixels())


def test_a_model_without_maps_says_so():
    model = pooled(lambda x: torch.ones(len(x), 17, 8), lambda tokens: tokens[:, 0])
    assert not has_maps(model, pixels())
    with pytest.raises(ValueError, match="no means of maps, one a feature"):
        feature_maps(model, pixels(), 1)


def test_the_gradient_is_where_the_feature_looks():
    class Corner(nn.Module):
        def forward_features(self, x):
            return x[:, :, :2, :2]

        def forward_head(self, maps, pre_logits=True):
            return maps.square().mean(dim=(2, 3))

    heat = pixel_gradients(Classifier(Corner(), PLAIN.mean, PLAIN.std), pixels(side=8), 1)
    assert heat[:, 2:].eq(0).all()
    assert heat[:, :, 2:].eq(0).all()
    assert heat.amax(dim=(1, 2)).eq(1).all()


def test_heat_reddens_and_its_absence_shows_the_image_in_grey():
    images, heat = pixels(2, 4), torch.zeros(2, 4, 4)
    heat[0] = 1
    shown = overlay(images, heat)
    torch.testing.assert_close(shown[1], images[1].mean(dim=0).expand(3, 4, 4))
    assert (shown[0, 0] > shown[0, 1] + 0.5).all()
