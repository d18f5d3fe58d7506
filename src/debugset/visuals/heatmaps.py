"""Where in an image a feature looks: its own map, and its gradient by the pixels (Singla et al. 2021, section 4).

Classifiers are in evaluation mode, images on their device with pixels in [0, 1], and features the penultimate ones.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from debugset.models.classifier import Classifier

SMALL = 7  # places a side of a map below which it is too coarse, so that the gradient by the pixels is shown too
RED = (0.85, 0.05, 0.1)


def has_maps(classifier: Classifier, pixels: Float[Tensor, "b 3 h w"]) -> bool:
    """Whether the model's features are the means of maps, one a feature, as in a ResNet; the first image is tried.

    They are not where layers lie between pooling and features, or where maps have their channels last.
    """
    with torch.inference_mode():
        maps, features = _maps(classifier, pixels[:1]).float(), classifier.features(pixels[:1]).float()
        if maps.ndim != 4 or maps.shape[1] != features.shape[1]:
            return False
        # wide enough for half precision; other ways of pooling are much further off
        return torch.allclose(maps.mean(dim=(2, 3)), features, rtol=1e-2, atol=1e-3)


def feature_maps(
    classifier: Classifier, pixels: Float[Tensor, "b 3 h w"], feature: int
) -> tuple[Float[Tensor, "b h w"], int]:
    """The maps whose mean is the feature, each normalised to [0, 1] and resized to the image.

    Returns:
        The maps, and the smaller side that they had.

    Raises:
        ValueError: the model has no maps.
    """
    with torch.inference_mode():
        if not has_maps(classifier, pixels):
            raise ValueError("classifier: its features are no means of maps, one a feature, so there is no heatmap")
        maps = _maps(classifier, pixels)[:, feature : feature + 1].float()
        resized = F.interpolate(_stretch(maps), size=pixels.shape[2:], mode="bilinear", align_corners=False)
    return resized[:, 0], min(maps.shape[2:])


def pixel_gradients(classifier: Classifier, pixels: Float[Tensor, "b 3 h w"], feature: int) -> Float[Tensor, "b h w"]:
    """How strongly each pixel would change the feature: the gradient's length over colours, normalised to [0, 1]."""
    pixels = pixels.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(classifier.features(pixels)[:, feature].float().sum(), pixels)
    return _stretch(gradient.norm(dim=1, keepdim=True))[:, 0]


def overlay(pixels: Float[Tensor, "b 3 h w"], heat: Float[Tensor, "b h w"]) -> Float[Tensor, "b 3 h w"]:
    """The images, grey, with the heat in red over them; both in [0, 1]."""
    grey = pixels.mean(dim=1, keepdim=True).expand_as(pixels)
    red = torch.tensor(RED).to(pixels).view(1, 3, 1, 1)
    weight = 0.75 * heat[:, None]  # the image shows through the hottest place too
    return (1 - weight) * grey + weight * red


def _maps(classifier: Classifier, pixels: Tensor) -> Tensor:
    return classifier.backbone.forward_features((pixels - classifier.mean) / classifier.std)


def _stretch(values: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 h w"]:
    """Each image's values stretched to [0, 1]; a constant map, such as one of zeros, becomes 0."""
    low, high = values.amin(dim=(2, 3), keepdim=True), values.amax(dim=(2, 3), keepdim=True)
    return (values - low) / torch.where(high > low, high - low, 1)
