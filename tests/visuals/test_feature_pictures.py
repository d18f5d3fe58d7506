"""The pictures of a feature: of the images that activate it most, whichever kinds its model allows."""

import io

import numpy as np
import pytest
from PIL import Image

from debugset.models.registry import find_architecture
from debugset.visuals import feature_pictures as module
from debugset.visuals.feature_pictures import PICTURE_COLUMNS, Embedder, feature_pictures, strongest_rows
from debugset.visuals.params import VisualsParams
from tests.reference import visuals as naive
from tests.visuals.toys import pooled

PARAMS = VisualsParams(attack_radius=1.0, attack_step=0.5, attack_steps=2)


class Blocks:
    """Features that can be read by a few rows only, as if memory held no more; it keeps how many were asked for."""

    def __init__(self, values):
        self.values, self.ndim, self.shape, self.dtype = values, 2, values.shape, values.dtype
        self.read = []

    def __len__(self):
        return len(self.values)

    def __getitem__(self, rows):
        self.read.append(len(rows))
        return self.values[rows]


@pytest.mark.parametrize("count", [1, 6, 40])
def test_the_strongest_rows_equal_those_of_sorting_all(monkeypatch, count):
    monkeypatch.setattr(module, "_ROWS_AT_A_TIME", 7)
    rng = np.random.default_rng(0)
    features = Blocks(rng.integers(0, 4, (50, 5)).astype(np.float32))  # ties everywhere, across blocks too
    rows = rng.permutation(50)[:30]  # the last block is smaller
    found = strongest_rows(features, [4, 0, 4], rows, count)
    assert found.tolist() == naive.strongest_rows(features.values, [4, 0, 4], rows, count)
    assert features.read == [7, 7, 7, 7, 2]


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float16])
def test_features_of_any_numbers_are_compared_as_they_are(kind):
    values = np.array([[3], [200], [0], [90]], kind)
    assert strongest_rows(values, [0], np.arange(4), 3).tolist() == [[1, 3, 0]]


def test_no_rows_and_no_features_have_no_strongest():
    features = np.ones((3, 2), np.float32)
    assert strongest_rows(features, [0, 1], []).shape == (2, 0)
    assert strongest_rows(features, [], np.arange(3)).shape == (0, 3)


def test_a_feature_or_row_that_does_not_exist_is_named():
    features = np.ones((3, 2), np.float32)
    with pytest.raises(ValueError, match=r"^chosen: expected row numbers from 0 to 1, but chosen\[0\] is 2"):
        strongest_rows(features, [2], np.arange(3))
    with pytest.raises(ValueError, match=r"^rows: expected row numbers from 0 to 2, but rows\[1\] is 3"):
        strongest_rows(features, [0], [0, 3])


def test_pictures_come_in_the_order_of_the_rows_with_the_feature_s_values(images, network):
    embedder = Embedder(network, find_architecture("test_resnet"), np.zeros((12, 96), np.float32))
    found = feature_pictures(8, embedder, images, np.array([11, 2]), PARAMS)
    assert found.columns.tolist() == PICTURE_COLUMNS
    assert found["kind"].tolist() == np.repeat(["activating", "heatmap", "gradient", "attack"], 2).tolist()
    assert found["rank"].tolist() == [0, 1] * 4
    assert found["image_id"].tolist() == ["image-11", "image-02"] * 4
    assert set(found["feature"]) == {8}
    by_kind = found.groupby("kind")["value"].apply(list)
    pixels = module.input_pixels(images, np.array([11, 2]), embedder.architecture)
    np.testing.assert_allclose(by_kind["activating"], network.features(pixels).detach()[:, 8], rtol=1e-4, atol=1e-6)
    assert np.all(np.array(by_kind["attack"]) >= by_kind["activating"])
    assert np.isnan(by_kind["heatmap"] + by_kind["gradient"]).all()
    first = Image.open(io.BytesIO(found["png"].iloc[0]))
    assert np.array_equal(np.asarray(first), np.asarray(images.image(11)))
    assert found["png"].nunique() == 8


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        (pooled(lambda x: x.square()), ["activating", "heatmap", "attack"]),  # maps of 32 x 32 need no gradient
        (
            pooled(lambda x: x.flatten(2), lambda t: t.square().mean(dim=2)),
            ["activating", "gradient", "attack"],
        ),
    ],
)
def test_the_gradient_is_shown_for_small_maps_or_none(images, model, kinds):
    embedder = Embedder(model, find_architecture("test_resnet"), np.zeros((12, 3), np.float32))
    found = feature_pictures(1, embedder, images, np.arange(3), PARAMS)
    assert found["kind"].drop_duplicates().tolist() == kinds
