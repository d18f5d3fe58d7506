"""Mining a network: masks, then the cosines of every image, batch by batch."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64

from debugset.base.arrays import ArrayLike, as_array, as_mask
from debugset.base.progress import progress
from debugset.images.sets import ImageSet
from debugset.models.classifier import Classifier, load_model
from debugset.models.device import device
from debugset.models.outputs import pixel_batches
from debugset.models.registry import Architecture
from debugset.relations.masks import Mask, greedy_mask
from debugset.relations.networks import register
from debugset.relations.params import RelationsParams
from debugset.relations.patterns import Patterns, cosines, inference_patterns


class Network(NamedTuple):
    """A trained attribute network, how images are fed to it, and the layer to look at.

    Attributes:
        classifier: in evaluation mode, on the device that it shall be mined on.
        architecture: says how images are prepared.
        layer: name of a module of the classifier.
    """

    classifier: Classifier
    architecture: Architecture
    layer: str

    @property
    def device(self) -> torch.device:
        """Where the classifier is."""
        return next(self.classifier.parameters()).device


def open_network(folder: Path, layer: str) -> Network:
    """Read a stored attribute network to look into a layer of it, one of its modules.

    Raises:
        FileNotFoundError: the folder holds no model.
    """
    register()
    classifier, description = load_model(folder)
    # the gradients are by the layer's output: those by the weights would only take memory
    return Network(classifier.to(device()).requires_grad_(False), description.architecture, layer)


def pattern_batches(
    network: Network, images: ImageSet, rows: Int64[np.ndarray, " n"], batch: int, attributes: list[int] | None = None
) -> Iterator[Patterns]:
    """The inference patterns of images, a batch at a time; they stay on the network's device.

    The rows come in the order wished; ``attributes`` holds the indices of those wished, None takes all.
    """
    for pixels in pixel_batches(images, rows, network.architecture, batch):
        yield inference_patterns(network.classifier, network.layer, pixels.to(network.device), attributes)


def mine_masks(
    network: Network,
    images: ImageSet,
    rows: Int64[np.ndarray, " n"],
    shown: Bool[np.ndarray, "n a"] | ArrayLike,
    params: RelationsParams,
) -> list[Mask]:
    """A mask for each attribute, from the first ``mask_images`` of the rows that show it.

    An attribute that no image shows keeps every unit. Memory holds one attribute's images at a time.

    Args:
        network: what to look into.
        images: the image set.
        rows: the images to choose from.
        shown: whether they show each attribute.
        params: ``mask``, ``mask_images``, ``mask_penalty``, ``mask_block``, ``batch``, ``maps``.

    Raises:
        ValueError: maps are wished, but the layer's output is none; or the network has no such layer.
    """
    shown = as_array(shown, "shown")
    first = next(pattern_batches(network, images, rows[:1], 1, [0]))
    if params.maps and len(first.shape) != 3:  # now, not after hours of mining
        raise ValueError(
            f"relations.layer: the output of {params.layer} has shape {first.shape} and is no map; "
            "name a convolution, or set `relations.maps: 0`"
        )
    everything = Mask(np.ones(first.activations.shape[1], bool), 0.0)
    masks = []
    for attribute in progress(range(shown.shape[1]), "relations: masks", unit=" attributes", leave=False):
        shows = as_mask(shown[:, attribute], "shown", len(rows))
        chosen = rows[shows][: params.mask_images]
        if params.mask == "all" or not len(chosen):
            masks.append(everything)
            continue
        contributions = []
        for patterns in pattern_batches(network, images, chosen, params.batch, [attribute]):
            contributions.append((patterns.gradients[:, 0] * patterns.activations).cpu().numpy())
        mask = greedy_mask(np.concatenate(contributions), penalty=params.mask_penalty, block=params.mask_block)
        masks.append(mask)
    return masks


def mine_cosines(
    network: Network, images: ImageSet, rows: Int64[np.ndarray, " n"], masks: list[Mask], batch: int
) -> Float32[np.ndarray, "n a a"]:
    """The cosines of masked inference patterns in images; memory grows with the batch and not with the images.

    Raises:
        ValueError: a gradient is missing or infinite, as in a network whose training diverged.
    """
    keep = torch.from_numpy(np.stack([mask.keep for mask in masks])).to(network.device)
    batches = pattern_batches(network, images, rows, batch)
    total = -(-len(rows) // batch)  # rounded up
    parts = []
    for patterns in progress(batches, "relations: cosines", total, unit=" batches", leave=False):
        parts.append(cosines(patterns.gradients.mul_(keep)))  # in place: gradients are what takes the memory
    return np.concatenate(parts)
