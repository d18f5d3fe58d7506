"""Heat maps of inference patterns: where in an image an attribute's score comes from (the paper's figure 7)."""

import io

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor

FOR, AGAINST = (0.85, 0.05, 0.1), (0.05, 0.25, 0.85)  # what raises the score is red, what lowers it blue


def contribution_maps(
    gradients: Float[Tensor, "b x"], activations: Float[Tensor, "b x"], keep: Bool[Tensor, " x"], shape: tuple[int, ...]
) -> Float[Tensor, "b h w"]:
    """What each place of the layer adds to an attribute's score: v x, summed over the channels.

    Args:
        gradients: of the attribute's score by each unit.
        activations: of each unit.
        keep: the attribute's mask.
        shape: channels, height and width of the layer's output.

    Raises:
        ValueError: the layer's output is no map.
    """
    if len(shape) != 3:
        raise ValueError(
            f"relations.layer: its output of shape {tuple(shape)} is no map; "
            "name a convolution, or set `relations.maps: 0`"
        )
    return (gradients * activations * keep).unflatten(1, shape).sum(1)


def overlaid(pixels: Float[Tensor, "b 3 h w"], maps: Float[Tensor, "b k j"]) -> list[bytes]:
    """The images, grey, with the maps over them, as PNG files; each map is scaled by its own strongest place."""
    strongest = maps.abs().flatten(1).amax(1).clamp_min(torch.finfo(maps.dtype).tiny).view(-1, 1, 1)
    scaled = F.interpolate((maps / strongest)[:, None], size=pixels.shape[2:], mode="bilinear", align_corners=False)
    red, blue = (torch.tensor(one).to(pixels).view(1, 3, 1, 1) for one in (FOR, AGAINST))
    colours = torch.where(scaled > 0, red, blue)
    grey = 0.35 + 0.65 * pixels.mean(1, keepdim=True)  # lighter: colours show on it
    weight = scaled.abs().sqrt() * 0.85
    return png_files((1 - weight) * grey + weight * colours)


def png_files(pixels: Float[Tensor, "b 3 h w"]) -> list[bytes]:
    """Images as PNG files."""
    files = []
    for image in pixels.clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy():
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG")
        files.append(buffer.getvalue())
    return files
