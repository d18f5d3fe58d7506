"""Colour statistics."""

import numpy as np

from debugset.barlow.pixels import pixel_statistics
from debugset.models.registry import find_architecture


def test_pixel_statistics_are_means_and_deviations_of_a_grid(images):
    found = pixel_statistics(images, find_architecture("test_resnet"))
    assert found.shape == (12, 54)
    np.testing.assert_allclose(found[3, :9], 60 / 255, atol=1e-5)  # red
    np.testing.assert_allclose(found[3, 18:27], 200 / 255, atol=1e-5)  # blue
    np.testing.assert_allclose(found[:, 27:], 0, atol=1e-3)
