"""Heat maps: what a place adds, its colour, and files of the images' size."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from debugset.models.outputs import png_files
from debugset.relations.heatmaps import contribution_maps, overlay
from tests.reference import relations as naive


def decoded(file):
    image = Image.open(io.BytesIO(file))
    assert image.format == "PNG"
    return np.asarray(image)


def test_maps_equal_loops_over_channels_and_places():
    shape = (3, 4, 5)
    generator = torch.Generator().manual_seed(0)
    gradients, activations = torch.randn(2, 60, generator=generator), torch.rand(2, 60, generator=generator)
    keep = torch.rand(60, generator=generator) < 0.4
    found = contribution_maps(gradients, activations, keep, shape)
    assert found.shape == (2, 4, 5)
    for image in range(2):
        expected = naive.contribution_map(gradients[image], activations[image], keep, shape)
        np.testing.assert_allclose(found[image], expected, atol=1e-6)
    total = (gradients * activations * keep).sum(1)
    torch.testing.assert_close(found.sum((1, 2)), total)


def test_a_layer_without_places_is_named():
    x = torch.ones(1, 6)
    with pytest.raises(ValueError, match=r"relations.layer: its output of shape \(6,\) is no map; name a convolution"):
        contribution_maps(x, x, torch.ones(6, dtype=torch.bool), (6,))


def test_what_raises_the_score_is_red_what_lowers_it_blue_and_the_rest_grey():
    pixels = torch.full((2, 3, 8, 12), 0.4)
    maps = torch.zeros(2, 4, 6)
    maps[0, 0, 0], maps[0, 3, 5] = 1e-6, -0.5e-6  # each map by its own strongest place
    first, second = (decoded(file).astype(int) for file in png_files(overlay(pixels, maps)))
    assert first.shape == second.shape == (8, 12, 3)
    assert first[0, 0, 0] > first[0, 0, 2] + 100
    assert first[7, 11, 2] > first[7, 11, 0] + 60
    assert first[0, 0, 0] - first[0, 0, 2] > first[7, 11, 2] - first[7, 11, 0]  # half as strong
    assert (first[4, 2] == first[4, 2, 0]).all()
    assert (second == round(255 * (0.35 + 0.65 * 0.4))).all()  # nothing adds anything


def test_a_map_lies_over_the_place_that_it_is_of():
    maps = torch.zeros(1, 8, 8)
    maps[0, 1, 6] = 1
    image = decoded(png_files(overlay(torch.zeros(1, 3, 32, 32), maps))[0]).astype(int)
    row, column = np.unravel_index((image[..., 0] - image[..., 1]).argmax(), (32, 32))
    assert 4 <= row < 8
    assert 24 <= column < 28
