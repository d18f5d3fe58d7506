"""Feature attacks, heatmaps and the pictures of a mode."""

import io
import weakref

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from debugset.barlow.feature_attack import feature_attack
from debugset.barlow.heatmaps import feature_maps, has_maps, overlaid, pixel_gradients
from debugset.barlow.params import BarlowParams
from debugset.barlow.pictures import Embedder, mode_pictures
from debugset.barlow.pixels import pixel_statistics
from debugset.images.sets import open_set, write_set
from debugset.models.classifier import Classifier, build
from debugset.models.registry import find
from tests.models.toys import PLAIN, mean_colour

SETTINGS = {"radius": 1.0, "step": 0.2, "steps": 12}


def pixels(count=5, side=32, random_state=0):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(random_state))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build(find("test_resnet"), 3).eval()


@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS | {"step": 3.0}, SETTINGS | {"radius": 50.0, "step": 9.0}])
def test_an_attack_raises_the_feature_of_every_image_within_the_ball_and_the_range(network, settings):
    images = pixels()
    active = int(network.features(images).min(dim=0).values.argmax())
    attack = feature_attack(network, images, active, **settings)
    with torch.no_grad():
        torch.testing.assert_close(attack.before, network.features(images)[:, active])
        torch.testing.assert_close(attack.after, network.features(attack.pixels)[:, active], atol=1e-4, rtol=1e-4)
    assert (attack.after > attack.before).all()
    assert ((attack.pixels - images).flatten(1).norm(dim=1) <= settings["radius"] * (1 + 1e-5)).all()
    assert attack.pixels.min() >= 0
    assert attack.pixels.max() <= 1
    assert not attack.pixels.requires_grad


def test_more_steps_or_a_larger_ball_never_lower_the_feature(network):
    images, found = pixels(), []
    for settings in (SETTINGS | {"steps": 1}, SETTINGS, SETTINGS | {"radius": 3.0}):
        found.append(feature_attack(network, images, 7, **settings).after)
    assert (found[1] >= found[0]).all()
    assert (found[2] >= found[1] - 1e-6).all()


def test_an_attack_on_the_mean_of_red_reddens(network):
    images = pixels(side=8).clamp(0.2, 0.8)
    attack = feature_attack(mean_colour(), images, 0, radius=0.5, step=0.1, steps=10)
    change = attack.pixels - images
    torch.testing.assert_close(change[:, 0], torch.full_like(change[:, 0], 0.5 / 8), atol=1e-5, rtol=0)
    assert change[:, 1:].abs().max() < 1e-6


class Remembering(nn.Module):
    """A backbone that counts how many of the inputs that it has seen are still held by somebody."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 3)
        self.seen, self.most = [], 0

    def forward_features(self, x):
        self.seen.append(weakref.ref(x))
        self.most = max(self.most, sum(one() is not None for one in self.seen))
        return self.layer(x).square()

    def forward_head(self, maps, pre_logits=True):
        return maps.mean(dim=(2, 3))


def test_no_step_s_graph_outlives_it():
    most = []
    for steps in (3, 40):
        backbone = Remembering()
        feature_attack(
            Classifier(backbone, PLAIN.mean, PLAIN.std), pixels(side=8), 0, radius=9.0, step=0.1, steps=steps
        )
        most.append(backbone.most)
    assert most[0] == most[1] <= 2


def test_a_feature_that_does_not_exist_is_named(network):
    with pytest.raises(ValueError, match="feature: the model has features 0 to 95, got 96"):
        feature_attack(network, pixels(), 96, **SETTINGS)


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


def pooled(forward_features, pool=lambda maps: maps.mean(dim=(2, 3))):
    """A classifier whose backbone is two functions."""
    backbone = nn.Module()
    backbone.forward_features = forward_features
    backbone.forward_head = lambda maps, pre_logits=True: pool(maps)
    return Classifier(backbone, PLAIN.mean, PLAIN.std)


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
    shown = overlaid(images, heat)
    torch.testing.assert_close(shown[1], images[1].mean(dim=0).expand(3, 4, 4))
    assert (shown[0, 0] > shown[0, 1] + 0.5).all()


@pytest.fixture
def images(tmp_path):
    records = []
    for place in range(12):
        buffer = io.BytesIO()
        Image.new("RGB", (32, 32), (20 * place, 40, 200)).save(buffer, "PNG")
        records.append(({"id": f"image-{place:02}", "label": 0, "shard": "0.tar"}, buffer.getvalue()))
    write_set(tmp_path, records, ["a"])
    return open_set(tmp_path)


def test_the_pictures_of_a_mode(images, network):
    params = BarlowParams.model_construct(random_state=0, attack_radius=1.0, attack_step=0.5, attack_steps=2)
    features = np.tile(np.arange(12.0)[:, None], (1, 96)).astype(np.float32)
    embedder = Embedder(network, find("test_resnet"), features)
    rule = ((3, "<", 0.5), (8, ">=", 0.5))
    arguments = (rule, embedder, images, np.arange(2, 12), np.array([2, 4, 5]), params)
    found = mode_pictures("label-a-1", *arguments)
    kinds = found.groupby(["feature", "kind"], sort=False).size()
    for feature in (3, 8):
        assert kinds[feature].to_dict() == dict.fromkeys(("activating", "heatmap", "gradient", "attack"), 6)
        strongest = found[(found["feature"] == feature) & (found["kind"] == "activating")]
        assert strongest["image_id"].tolist() == [f"image-{place:02}" for place in range(11, 5, -1)]
    assert kinds[-1].to_dict() == {"failure": 3}
    assert sorted(found.loc[found["kind"] == "failure", "image_id"]) == ["image-02", "image-04", "image-05"]
    attacked = found[found["kind"] == "attack"]["value"].to_numpy()
    assert (attacked >= found[found["kind"] == "activating"]["value"].to_numpy()).all()
    first = Image.open(io.BytesIO(found["png"].iloc[0]))
    assert np.array_equal(np.asarray(first), np.asarray(images.image(11)))
    assert found.equals(mode_pictures("label-a-1", *arguments))


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        (
            pooled(lambda x: x.square()),
            ["activating", "heatmap", "attack", "failure"],
        ),  # maps of 32 x 32 need no gradient
        (
            pooled(lambda x: x.flatten(2), lambda t: t.square().mean(dim=2)),
            ["activating", "gradient", "attack", "failure"],
        ),
    ],
)
def test_the_gradient_is_shown_for_small_maps_or_none(images, model, kinds):
    params = BarlowParams.model_construct(random_state=0, attack_radius=1.0, attack_step=0.5, attack_steps=1)
    embedder = Embedder(model, find("test_resnet"), np.zeros((12, 3), np.float32))
    found = mode_pictures("label-a-1", ((1, "<", 0.5),), embedder, images, np.arange(12), np.arange(2), params)
    assert found["kind"].drop_duplicates().tolist() == kinds


def test_pixel_statistics_are_means_and_deviations_of_a_grid(images):
    found = pixel_statistics(images, find("test_resnet"))
    assert found.shape == (12, 54)
    np.testing.assert_allclose(found[3, :9], 60 / 255, atol=1e-5)  # red
    np.testing.assert_allclose(found[3, 18:27], 200 / 255, atol=1e-5)  # blue
    np.testing.assert_allclose(found[:, 27:], 0, atol=1e-3)
