"""Pasted patches: where they are cut, into which images they go, and what the layer then says."""

import numpy as np
import pandas as pd
import pytest
import torch

from debugset.sparse.intervals import share_interval
from debugset.sparse.layer import DecisionLayer
from debugset.sparse.patches import (
    KINDS,
    TRY_COLUMNS,
    PatchTrial,
    draw_patches,
    hottest_squares,
    paste,
    paste_patches,
    patch_summary,
    supporting_features,
)
from debugset.visuals.feature_pictures import Embedder
from tests.datasets.tiny import tiny_set
from tests.models.toys import PLAIN
from tests.reference import patches as naive
from tests.visuals.toys import pooled

SIDE = 4  # half of the toys' 8 px
TRIAL = PatchTrial(victims=6)


@pytest.mark.parametrize("side", [1, 3, 5])
def test_the_hottest_square_is_that_of_trying_every_place(side):
    heat = np.random.default_rng(0).integers(0, 3, (20, 5, 7)).astype(np.float32)  # whole numbers: ties are exact
    heat[0] = 0
    found = hottest_squares(heat, side)
    assert found.tolist() == [naive.hottest_square(one, side) for one in heat]
    assert found[0].tolist() == [0, 0]


def test_a_square_goes_from_its_place_to_the_victim_s_and_nothing_else_changes():
    victims, sources = np.zeros((2, 4, 5, 3), np.uint8), np.arange(120, dtype=np.uint8).reshape(2, 4, 5, 3)
    places, targets = np.array([[2, 3], [0, 0]]), np.array([[0, 1], [2, 3]])
    pasted = paste(victims, sources, places, targets, 2)
    assert np.array_equal(pasted[0, :2, 1:3], sources[0, 2:, 3:])
    assert np.array_equal(pasted[1, 2:, 3:], sources[1, :2, :2])
    assert np.count_nonzero(pasted.any(axis=3)) <= 8
    assert not victims.any()


def test_controls_differ_from_the_hottest_in_place_then_in_image():
    strongest, hottest = np.array([7, 3]), np.array([[1, 1], [2, 0]])
    victims = np.arange(40)
    drawn = draw_patches(strongest, hottest, victims, 40, 5, np.random.default_rng(0))
    assert tuple(drawn) == KINDS
    same, elsewhere, others = (drawn[kind] for kind in KINDS)
    assert set(same.sources) == {3, 7}
    assert np.array_equal(same.places, np.where(same.sources[:, None] == 7, hottest[0], hottest[1]))
    assert np.array_equal(elsewhere.sources, same.sources)
    assert np.array_equal(elsewhere.places, others.places)
    assert np.unique(others.places).tolist() == [0, 1, 2, 3, 4, 5]
    assert (others.sources != victims).all()
    assert len(set(others.sources)) > 15
    assert others.sources.min() >= 0
    assert others.sources.max() < 40


def test_a_class_is_supported_by_its_most_important_features_of_positive_weight():
    weights = np.array([[1.0, 0, -2], [-5, 0, 0], [2, 0, 0], [0.5, 0, 0]])
    layer = DecisionLayer(weights, np.zeros(3), np.zeros(4), np.array([1.0, 1, 1, 9]))
    assert supporting_features(layer, 2) == [(0, 3), (0, 2)]
    assert supporting_features(layer, 9) == [(0, 3), (0, 2), (0, 0)]


@pytest.fixture
def images(tmp_path):
    """Six images of class a, dark with a bright red square in the upper right; five green of b, five blue of c."""
    pixels = np.zeros((16, 8, 8, 3), np.uint8)
    pixels[:6, ..., 0] = 20
    pixels[:6, :SIDE, SIDE:, 0] = 250
    pixels[6:11, ..., 1] = 100
    pixels[11:, ..., 2] = 100
    return tiny_set(tmp_path, pixels, [0] * 6 + [1] * 5 + [2] * 5)


@pytest.fixture
def embedder(images):
    """Its features are the means of the squared colours, so that gradients are hot where a colour is strong."""
    values = (images.pixels(range(16), 8) / 255.0) ** 2
    return Embedder(pooled(torch.square), PLAIN, values.mean(axis=(1, 2)).astype(np.float32))


@pytest.fixture
def layer():
    """Each class rests on its colour alone."""
    return DecisionLayer(np.eye(3), np.zeros(3), np.zeros(3), np.ones(3))


def test_only_the_hottest_square_of_a_decisive_feature_flips_every_victim(images, embedder, layer):
    found = paste_patches(layer, embedder, images, images.labels, "fp32", TRIAL)
    assert found.columns.tolist() == TRY_COLUMNS
    assert found.groupby(["class", "feature", "kind"]).size().to_dict() == {
        (name, feature, kind): 6 for feature, name in enumerate("abc") for kind in KINDS
    }
    flips = found.groupby(["class", "kind"])["flipped"].sum()
    assert flips["a", "hottest"] == 6
    assert flips["a", "random_place"] < 6
    assert flips["a", "random_images"] < 6
    assert flips["b"].sum() == flips["c"].sum() == 0  # a quarter of a plain image is too little
    hottest = found[found["kind"] == "hottest"]
    assert hottest["changed"].tolist() == hottest["flipped"].tolist()
    changed_only = found[(found["class"] != "a") & (found["kind"] == "random_images") & found["changed"]]
    labels = images.labels[images.rows_of(changed_only["source"])]
    assert (labels == 0).all()  # an image of class a may change a victim, though not to the feature's class


def test_victims_are_right_of_other_classes_and_the_same_for_every_kind(images, embedder, layer):
    predicted = images.labels.copy()
    predicted[[6, 7]] = 2
    found = paste_patches(layer, embedder, images, predicted, "fp32", TRIAL)
    for (name, _), tries in found.groupby(["class", "feature"]):
        by_kind = tries.groupby("kind")[["victim", "source"]].agg(list)
        assert by_kind["victim"]["hottest"] == by_kind["victim"]["random_place"] == by_kind["victim"]["random_images"]
        victims = images.rows_of(by_kind["victim"]["hottest"])
        assert len(set(victims)) == 6
        assert not {6, 7} & set(victims)
        assert not (images.labels[victims] == images.classes.index(name)).any()
        assert by_kind["source"]["hottest"] == by_kind["source"]["random_place"]
        assert not set(by_kind["source"]["hottest"]) & set(by_kind["victim"]["hottest"])
    of_a = found[(found["class"] == "a") & (found["kind"] == "hottest")]
    assert set(images.labels[images.rows_of(of_a["source"])]) == {0}


def test_a_feature_s_tries_depend_on_the_random_state_and_on_no_other_feature(images, embedder, layer):
    found = paste_patches(layer, embedder, images, images.labels, "fp32", TRIAL)
    alone = DecisionLayer(np.diag([0.0, 1, 0]), np.zeros(3), np.zeros(3), np.ones(3))
    again = paste_patches(alone, embedder, images, images.labels, "fp32", TRIAL)
    drawn = ["kind", "class", "feature", "victim", "source"]
    of_b = found[found["class"] == "b"].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_b[drawn], again[drawn])
    other = paste_patches(alone, embedder, images, images.labels, "fp32", TRIAL._replace(random_state=1))
    assert other["victim"].tolist() != again["victim"].tolist()


def test_a_patch_as_large_as_the_image_is_the_other_image(images, embedder, layer):
    found = paste_patches(layer, embedder, images, images.labels, "fp32", TRIAL._replace(side=1.0))
    labels = images.labels[images.rows_of(found["source"])]
    assert np.array_equal(found["flipped"], labels == found["feature"])
    assert np.array_equal(found["changed"], labels != images.labels[images.rows_of(found["victim"])])


def test_without_victims_or_features_there_are_no_tries_and_no_shares(images, embedder, layer):
    unused = DecisionLayer(np.zeros((3, 3)), np.zeros(3), np.zeros(3), np.ones(3))
    for of, predicted in ((layer, (images.labels + 1) % 3), (unused, images.labels)):
        found = paste_patches(of, embedder, images, predicted, "fp32", TRIAL)
        assert found.empty
        assert found.columns.tolist() == TRY_COLUMNS
        summary = patch_summary(found, 10, 0)
        assert summary["tries"].tolist() == [0, 0, 0]
        assert summary["flipped"].isna().all()


def test_the_summary_counts_a_victim_of_several_tries_once():
    rng = np.random.default_rng(0)
    tries = pd.DataFrame({"kind": np.repeat(KINDS, 40), "victim": rng.choice(["v", "w", "x", "y", "z"], 120)})
    tries = tries.assign(flipped=rng.random(120) < 0.3, changed=rng.random(120) < 0.6)
    found = patch_summary(tries, 100, 5)
    assert found["kind"].tolist() == list(KINDS)
    for row, (_, mine) in zip(found.to_dict("records"), tries.groupby("kind", sort=False), strict=True):
        interval = share_interval(mine["flipped"], mine["victim"], 100, 5)
        assert (row["flipped"], row["low"], row["high"]) == interval
        assert row["changed"] == mine["changed"].mean()
        assert row["tries"] == 40


@pytest.mark.parametrize("side", [0.0, 0.05, 1.2])
def test_a_patch_has_at_least_a_pixel_and_at_most_the_image(images, embedder, layer, side):
    with pytest.raises(ValueError, match=r"^trial: a side of .* is \d+ of 8 px; pass a share of at most 1$"):
        paste_patches(layer, embedder, images, images.labels, "fp32", TRIAL._replace(side=side))


def test_every_image_needs_a_prediction(images, embedder, layer):
    with pytest.raises(ValueError, match=r"^predicted: expected one value for each of 16 images"):
        paste_patches(layer, embedder, images, images.labels[1:], "fp32", TRIAL)
