"""Inference patterns: how a network's attribute scores depend, linearly, on a layer's output (equations 1 and 2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from debugset.base.arrays import ArrayLike, as_floats


class Patterns(NamedTuple):
    """Of a batch of images, Y = nu x + beta for every attribute.

    Attributes:
        gradients: nu, of each attribute's score by each unit of the layer's output, flattened.
        activations: x, the layer's output.
        scores: Y.
        shape: of the layer's output for one image, channels first.
    """

    gradients: Float[Tensor, "b a x"]
    activations: Float[Tensor, "b x"]
    scores: Float[Tensor, "b a"]
    shape: tuple[int, ...]


def inference_patterns(
    network: nn.Module, layer: str, pixels: Float[Tensor, "b 3 h w"], attributes: list[int] | None = None
) -> Patterns:
    """The inference patterns of a batch, by one backward pass an attribute through what follows the layer.

    A network in evaluation mode treats images one by one, so the gradient of a sum over images holds each image's own.

    Args:
        network: scores of pixels in [0, 1], in evaluation mode.
        layer: name of one of its modules; its output is x.
        attributes: indices of those wished; None takes all.

    Raises:
        ValueError: the network is in training mode, or has no such layer, or uses it not just once.
    """
    if network.training:
        raise ValueError("network: it is in training mode, where images depend on each other; call eval() first")
    with torch.enable_grad(), _cut(network, layer) as outputs:
        scores = network(pixels)
        totals = scores.sum(0).unbind()
    if len(outputs) != 1:
        raise ValueError(f"relations.layer: {layer} ran {len(outputs)} times on a batch; name a layer that runs once")
    x = outputs[0]
    wished = list(range(scores.shape[1])) if attributes is None else attributes
    nu = x.new_empty(len(x), len(wished), x[0].numel())  # filled in place: it is what takes the memory
    for place, index in enumerate(wished):
        last = place + 1 == len(wished)
        (gradient,) = torch.autograd.grad(totals[index], x, retain_graph=not last, materialize_grads=True)
        nu[:, place] = gradient.flatten(1)
    return Patterns(nu, x.detach().flatten(1), scores.detach()[:, wished], tuple(x.shape[1:]))


def cosines(
    patterns: Float[Tensor, "n a x"] | Float[np.ndarray, "n a x"] | Tensor | ArrayLike,
) -> Float32[np.ndarray, "n a a"]:
    """The cosine between the inference patterns of every two attributes, image by image.

    Args:
        patterns: v, a vector of units for each image and attribute; a tensor is worked on where it lies.

    Returns:
        Within [-1, 1]; 1 on the diagonal; 0 where a pattern is zero: it shares nothing.

    Raises:
        ValueError: a value is missing or infinite, or the patterns are no numbers of three dimensions.
    """
    vectors = patterns if isinstance(patterns, Tensor) else torch.as_tensor(as_floats(patterns, "patterns"))
    if vectors.ndim != 3:
        raise ValueError(f"patterns: expected images x attributes x units, got shape {tuple(vectors.shape)}")
    vectors = vectors if vectors.is_floating_point() else vectors.double()  # products of integers may overflow
    products = vectors @ vectors.mT
    lengths = products.diagonal(dim1=1, dim2=2).sqrt()
    scale = lengths[:, :, None] * lengths[:, None, :]
    similarities = torch.where(scale == 0, 0.0, products / scale).clamp(-1, 1).float().cpu().numpy()
    if np.isnan(similarities).any():  # its product with itself is none, whatever else holds
        raise ValueError("patterns: a value is missing or infinite")
    return similarities


@contextmanager
def _cut(network: nn.Module, layer: str) -> Iterator[list[Tensor]]:
    """Let the graph begin at a layer's output; yields a list that receives it."""
    modules = dict(network.named_modules())
    if layer not in modules or not layer:
        named = ", ".join(list(modules)[1:13])
        raise ValueError(f"relations.layer: the network has no layer {layer!r}; it has {named} ...")
    outputs: list[Tensor] = []

    def cut(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        outputs.append(output.detach().requires_grad_())
        return outputs[-1].clone()  # what follows may work in place

    handle = modules[layer].register_forward_hook(cut)
    try:
        yield outputs
    finally:
        handle.remove()
