"""Heat maps of inference patterns: where in an image an attribute's score comes from (the paper's figure 7)."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

RED, BLUE = (0.85, 0.05, 0.1), (0.05, 0.25, 0.85)  # what raises the score, what lowers it
_STRONGEST = 0.85  # weight of the colour at the strongest place: the image shows through it too
_LIGHTEST_BLACK = 0.35  # what black becomes: colours show on light grey


def contribution_maps(
    gradients: Float[Tensor, "b x"], activations: Float[Tensor, "b x"], keep: Bool[Tensor, " x"], shape: tuple[int, ...]
) -> Float[Tensor, "b h w"]:
    """What each place of the layer adds to an attribute's score: v x, summed over the channels.

    Args:
        gradients: of the attribute's score by each unit.
        activations: of each unit.
        keep: the attribute's mask.
        shape: channels, height and width of the layer's output; else ValueError.
    """
    if len(shape) != 3:
        raise ValueError(
            f"relations.layer: its output of shape {tuple(shape)} is no map; name a convolution, "
            "or set `relations.maps: 0`"
        )
    return (gradients * activations * keep).unflatten(1, shape).sum(1)


def overlay(pixels: Float[Tensor, "b 3 h w"], maps: Float[Tensor, "b k j"]) -> Float[Tensor, "b 3 h w"]:
    """The images, in [0, 1], as grey with maps of any size over them; each is scaled by its own strongest place."""
    strongest = maps.abs().amax((1, 2), keepdim=True).clamp_min(torch.finfo(maps.dtype).tiny)  # a map may be all 0
    scaled = F.interpolate((maps / strongest)[:, None], size=pixels.shape[2:], mode="bilinear", align_corners=False)
    red, blue = torch.tensor(RED).to(pixels).view(1, 3, 1, 1), torch.tensor(BLUE).to(pixels).view(1, 3, 1, 1)
    grey = _LIGHTEST_BLACK + (1 - _LIGHTEST_BLACK) * pixels.mean(1, keepdim=True)
    weight = scaled.abs().sqrt() * _STRONGEST  # the root, so that weak places are seen too
    return (1 - weight) * grey + weight * torch.where(scaled > 0, red, blue)
