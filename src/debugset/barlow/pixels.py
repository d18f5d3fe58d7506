"""Colour statistics of an image: what rules could say without a network, for comparison."""

import numpy as np
import torch.nn.functional as F
from jaxtyping import Float32

from debugset.images.sets import ImageSet
from debugset.models.outputs import pixel_batches
from debugset.models.registry import Architecture

_GRID = 3  # cells a side, so that the middle and each border have their own
_IMAGES_AT_A_TIME = 256  # memory grows with it


def pixel_statistics(images: ImageSet, architecture: Architecture) -> Float32[np.ndarray, "n d"]:
    """Mean and standard deviation of every colour in each cell of a 3 x 3 grid: 54 numbers an image."""
    parts = []
    for pixels in pixel_batches(images, np.arange(len(images)), architecture, _IMAGES_AT_A_TIME):
        mean, square = F.adaptive_avg_pool2d(pixels, _GRID), F.adaptive_avg_pool2d(pixels.square(), _GRID)
        deviation = (square - mean.square()).clamp_min(0).sqrt()  # rounding can make the difference negative
        parts.append(np.concatenate([mean.flatten(1).numpy(), deviation.flatten(1).numpy()], axis=1))
    return np.concatenate(parts) if parts else np.empty((0, 6 * _GRID**2), np.float32)
