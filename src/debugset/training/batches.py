"""Training batches: a random order that every device agrees on, augmentation, pixels as the model wants them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import tee
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor

from debugset.images.pixels import Box, decode_ahead, square_pixels
from debugset.images.sets import ImageSet
from debugset.training.recipe import Recipe

_Steps = Iterator[tuple[np.ndarray, Tensor]]  # the indices and images of each step


class Batch(NamedTuple):
    """Images of one step on one device: pixels in [0, 1], class indices or attributes, loss weights."""

    pixels: Float[Tensor, "b 3 h w"]
    labels: Int64[Tensor, " b"] | Float32[Tensor, "b a"]
    weights: Float32[Tensor, " b"]


@dataclass
class TrainingSet:
    """Images from one or more image sets, with labels and loss weights.

    Attributes:
        parts: the image sets and the manifest rows taken from each.
        labels: class index of each image, or its attributes; parts in order.
        weights: each image's weight in the loss.
    """

    parts: list[tuple[ImageSet, Int64[np.ndarray, " _rows"]]]
    labels: Int64[np.ndarray, " n"] | Float32[np.ndarray, "n a"]
    weights: Float32[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.labels)

    def locate(self, index: int) -> tuple[ImageSet, int]:
        """The image set and the manifest row of an image, the parts' images counted in order; else IndexError."""
        for images, rows in self.parts:
            if index < len(rows):
                return images, int(rows[index])
            index -= len(rows)
        raise IndexError(index)


def batch_order(count: int, recipe: Recipe, random_state: int) -> Iterator[Int64[np.ndarray, " batch"]]:
    """The image indices of every step: pass after pass over ``count`` images, each pass shuffled anew.

    A set smaller than the batch, or a pass that ends inside a step, goes on in the next pass.
    """
    rng = np.random.default_rng([random_state, 1])
    waiting = np.empty(0, np.int64)
    for _ in range(recipe.steps):
        while len(waiting) < recipe.batch:
            waiting = np.concatenate([waiting, rng.permutation(count)])
        yield waiting[: recipe.batch]
        waiting = waiting[recipe.batch :]


def batches(
    data: TrainingSet, recipe: Recipe, size: int, random_state: int, device: torch.device, rank: int = 0, world: int = 1
) -> Iterator[Batch]:
    """The batches of one device: of the images of each step every ``world``-th one, from the ``rank``-th on.

    ``size`` is the side of the model's input, px; ``random_state`` is of order and augmentation.
    """
    order = (indices[rank::world] for indices in batch_order(len(data), recipe, random_state))
    own_state = random_state * 1000 + rank  # every device augments its images differently
    if recipe.augmentation == "random_resized_crop":
        stream = _random_crops(data, order, size, own_state)
    else:
        stream = _whole_images(data, order, size, device)
    generator = torch.Generator().manual_seed(own_state)
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    labels, weights = torch.tensor(data.labels, device=device), torch.tensor(data.weights, device=device)
    for indices, images in stream:
        if recipe.augmentation == "shift_flip":
            images = shift_and_flip(images, recipe.shift, generator)
        pixels = images.to(device).float().div_(255).contiguous(memory_format=layout)
        chosen = torch.from_numpy(indices).to(device)
        yield Batch(pixels, labels[chosen], weights[chosen])


def shift_and_flip(
    images: UInt8[Tensor, "b 3 h w"], shift: int, generator: torch.Generator
) -> UInt8[Tensor, "b 3 h w"]:
    """Shift each image, what leaves one edge entering at the other, and mirror every second one, on average.

    ``shift`` is the largest in either direction, px; the generator is on the CPU: the same for all devices.
    """
    count, _, height, width = images.shape
    down, right = torch.randint(-shift, shift + 1, (2, count, 1), generator=generator)
    rows = (torch.arange(height) + down) % height
    columns = (torch.arange(width) + right) % width
    mirrored = torch.rand(count, 1, generator=generator) < 0.5
    columns = torch.where(mirrored, columns.flip(1), columns)
    device = images.device
    which = torch.arange(count, device=device)[:, None, None]
    rows, columns = rows[:, :, None].to(device), columns[:, None, :].to(device)
    return images.permute(0, 2, 3, 1)[which, rows, columns].permute(0, 3, 1, 2)


def _whole_images(data: TrainingSet, order: Iterator[np.ndarray], size: int, device: torch.device) -> _Steps:
    """All images are decoded once and kept on the device as bytes."""
    decoded = np.concatenate([images.pixels(rows.tolist(), size) for images, rows in data.parts])
    everything = torch.from_numpy(decoded).to(device).permute(0, 3, 1, 2)
    for indices in order:
        yield indices, everything[torch.from_numpy(indices).to(device)]


def _random_crops(data: TrainingSet, order: Iterator[np.ndarray], size: int, random_state: int) -> _Steps:
    """Images are decoded, cropped and mirrored as they come.

    Boxes are drawn here, in order, and not in the threads: the result does not depend on how they interleave.
    """
    rng = np.random.default_rng(random_state)

    def draw(indices: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Each image's index with its random numbers."""
        return zip(indices.tolist(), rng.random((len(indices), 5)), strict=True)

    def crop(job: tuple[int, np.ndarray]) -> np.ndarray:
        """A random part of an image by its draws, mirrored by the last of them."""
        index, draws = job
        images, row = data.locate(index)
        image = images.image(row)
        pixels = square_pixels(image, size, box=random_box(*image.size, draws))
        return pixels[:, ::-1] if draws[4] < 0.5 else pixels

    order, decoded = tee(order)
    for indices, pixels in zip(order, decode_ahead(map(draw, decoded), crop), strict=True):
        yield indices, torch.from_numpy(pixels).permute(0, 3, 1, 2)


def random_box(width: int, height: int, draws: Float[np.ndarray, " 5"]) -> Box:
    """The box of a random resized crop: 8 to 100 % of the area, sides 3:4 to 4:3, cut to fit the image (px).

    The draws are uniform in [0, 1): area, aspect, left, top (the fifth is not used here).
    """
    area = width * height * (0.08 + 0.92 * draws[0])
    aspect = (4 / 3) ** (2 * draws[1] - 1)
    box_width, box_height = min(width, np.sqrt(area * aspect)), min(height, np.sqrt(area / aspect))
    left, top = draws[2] * (width - box_width), draws[3] * (height - box_height)
    return float(left), float(top), float(left + box_width), float(top + box_height)
