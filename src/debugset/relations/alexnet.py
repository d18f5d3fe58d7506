"""AlexNet as the paper used it (torchvision's), and a small one for small images, both by name in timm's registry."""

from typing import Any

import torch
from jaxtyping import Float
from timm.models import register_model
from torch import Tensor, nn

__all__: list[str] = []  # timm's registry adds the names


class SmallAlexNet(nn.Module):
    """Three convolutions and two fully connected layers: a first convolution of high resolution, no global pooling.

    Like AlexNet's, its decision knows where in the image a pattern is.

    Args:
        num_classes: number of outputs.
        side: of the square input, px.
    """

    def __init__(self, num_classes: int, side: int = 64) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 5, stride=2, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        with torch.no_grad():
            width = self.features(torch.zeros(1, 3, side, side)).numel()
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(width, 128), nn.ReLU(), nn.Linear(128, num_classes))

    def forward(self, pixels: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b c"]:
        """Scores of normalised pixels."""
        return self.classifier(self.features(pixels))


@register_model
def small_alexnet(pretrained: bool = False, **options: Any) -> nn.Module:
    """A `SmallAlexNet` with random weights."""
    return SmallAlexNet(options["num_classes"], options.get("side", 64))


@register_model
def alexnet(pretrained: bool = False, **options: Any) -> nn.Module:
    """Torchvision's AlexNet with random weights (Krizhevsky, Sutskever and Hinton 2012)."""
    from torchvision.models import alexnet as torchvision_alexnet

    return torchvision_alexnet(num_classes=options["num_classes"])
