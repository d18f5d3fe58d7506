"""Mining a network: masks, then the cosines of every image, batch by batch."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64

from debugset.base.progress import progress
from debugset.images.sets import ImageSet
from debugset.models.classifier import Classifier, load_model
from debugset.models.device import device
from debugset.models.outputs import pixel_batches
from debugset.models.registry import Architecture
from debugset.relations import networks  # noqa: F401 - it makes two names known to timm
from debugset.relations.masks import Mask, greedy_mask
from debugset.relations.params import RelationsParams
from debugset.relations.patterns import Patterns, batch_cosines, inference_patterns


class Network(NamedTuple):
    """A trained attribute network in evaluation mode, how images are fed to it, and the layer to look at."""

    scores: Classifier
    architecture: Architecture
    layer: str


def open_network(folder: Path, layer: str) -> Network:
    """Read a stored attribute network to look into a layer of it.

    Raises:
        FileNotFoundError: the folder holds no model.
    """
    classifier, description = load_model(folder)
    return Network(classifier.to(device()), description.architecture, layer)


def pattern_batches(
    network: Network, images: ImageSet, rows: Int64[np.ndarray, " n"], batch: int, attributes: list[int] | None = None
) -> Iterator[Patterns]:
    """The inference patterns of images, a batch at a time; they stay on the device."""
    where = device()
    module = network.scores.to(where).eval().requires_grad_(False)
    for pixels in pixel_batches(images, rows, network.architecture, batch):
        yield inference_patterns(module, network.layer, pixels.to(where), attributes)


def mine_masks(
    network: Network,
    images: ImageSet,
    rows: Int64[np.ndarray, " n"],
    there: Bool[np.ndarray, "n a"],
    params: RelationsParams,
) -> list[Mask]:
    """A mask for each attribute, from the first ``mask_images`` of the rows that show it.

    An attribute that no image shows keeps every unit. Memory holds one attribute's images at a time.

    Args:
        network: what to look into.
        images: the image set.
        rows: the images to choose from.
        there: whether they show each attribute.
        params: ``mask``, ``mask_images``, ``mask_penalty``, ``mask_block``, ``batch``.
    """
    first = next(pattern_batches(network, images, rows[:1], 1, [0]))
    if params.maps and len(first.shape) != 3:  # now, not after hours of mining
        raise ValueError(
            f"relations.layer: the output of {params.layer} has shape {first.shape} and is no map; "
            "name a convolution, or set `relations.maps: 0`"
        )
    units = first.activations.shape[1]
    everything = Mask(np.ones(units, bool), 0.0)
    if params.mask == "all":
        return [everything] * there.shape[1]
    masks = []
    for attribute in progress(range(there.shape[1]), "relations: masks", unit=" attributes", leave=False):
        chosen = rows[there[:, attribute]][: params.mask_images]
        if not len(chosen):
            masks.append(everything)
            continue
        found = pattern_batches(network, images, chosen, params.batch, [attribute])
        contributions = torch.cat([(one.gradients[:, 0] * one.activations).cpu() for one in found]).numpy()
        masks.append(greedy_mask(contributions, penalty=params.mask_penalty, block=params.mask_block))
    return masks


def mine_cosines(
    network: Network, images: ImageSet, rows: Int64[np.ndarray, " n"], masks: list[Mask], batch: int
) -> Float32[np.ndarray, "n a a"]:
    """The cosines of masked inference patterns in images.

    Args:
        network: what to look into.
        images: the image set.
        rows: the images, in the order wished.
        masks: one for each attribute.
        batch: images at a time; memory grows with it and not with the images.
    """
    keep = torch.from_numpy(np.stack([mask.keep for mask in masks])).to(device())
    total = -(-len(rows) // batch)
    batches = progress(
        pattern_batches(network, images, rows, batch), "relations: cosines", total, unit=" batches", leave=False
    )
    return np.concatenate([batch_cosines(one.gradients.mul_(keep)).cpu().numpy() for one in batches])
