"""Attribute networks: one score an attribute, trained on +1 and -1 or on continuous values (the paper's note 2)."""

from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Float
from timm.models import is_model, register_model
from torch import Tensor, nn

from debugset.images.sets import ImageSet
from debugset.models.classifier import Classifier, Description, build
from debugset.models.registry import Architecture
from debugset.relations.params import AttributesParams
from debugset.training.batches import TrainingSet
from debugset.training.loop import fit


def fit_attributes(
    images: ImageSet,
    rows: np.ndarray,
    attributes: pd.DataFrame,
    params: AttributesParams,
    random_state: int,
    describe: str,
) -> tuple[Classifier, Description]:
    """Train an attribute network from random weights.

    Args:
        images: where the images are.
        rows: those to train on, ascending; ``attributes`` is of them.
        random_state: of weights and order.
        describe: what the progress bar says.

    Raises:
        ValueError: the architecture is unknown, or the training diverged.
    """
    built = architecture(params)
    torch.manual_seed(random_state)
    network = build(built, attributes.shape[1])
    data = TrainingSet([(images, rows)], attributes.to_numpy(np.float32), np.ones(len(rows), np.float32))
    loss = logistic_loss if params.loss == "logistic" else squared_loss
    fit(network, data, params.recipe(), params.side, random_state, loss=loss, what=describe)
    for weights in network.state_dict().values():
        if not torch.isfinite(weights).all():
            raise ValueError(f"{describe}: the training diverged, its weights are no numbers; lower attributes.peak_lr")
    origin = f"trained from scratch, random_state {random_state}"
    return network, Description(params.architecture, built, tuple(attributes.columns), origin)


def architecture(params: AttributesParams) -> Architecture:
    """How the network that params name is built.

    Raises:
        ValueError: timm does not know the name.
    """
    register()
    name, side = params.architecture, params.side
    if not is_model(name):
        raise ValueError(
            f"attributes.architecture: `{name}` is unknown; say small_alexnet, alexnet, or a model of timm"
        )
    return Architecture(name, "scratch", side, options={"side": side} if name == "small_alexnet" else {})


def register() -> None:
    """Make `small_alexnet` and `alexnet` known to timm, which builds all models and reads stored ones, by name."""
    for network in (small_alexnet, alexnet):
        if not is_model(network.__name__):
            register_model(network)


def small_alexnet(pretrained: bool = False, **options: Any) -> nn.Module:
    """A `SmallAlexNet` with random weights."""
    return SmallAlexNet(options["num_classes"], options.get("side", 64))


def alexnet(pretrained: bool = False, **options: Any) -> nn.Module:
    """Torchvision's AlexNet with random weights (Krizhevsky, Sutskever and Hinton 2012)."""
    from torchvision.models import alexnet as torchvision_alexnet

    return torchvision_alexnet(num_classes=options["num_classes"])


class SmallAlexNet(nn.Module):
    """Three convolutions and two fully connected layers: a first convolution of high resolution, no global pooling.

    Like AlexNet's, its decision knows where in the image a pattern is. The input is a square of ``side`` px.
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


def logistic_loss(scores: Float[Tensor, "b a"], values: Float[Tensor, "b a"], weights: Float[Tensor, " b"]) -> Tensor:
    """log(1 + exp(-Y Y*)) of scores Y and values Y*, summed over the attributes, averaged over the weighted images."""
    return (F.softplus(-scores.float() * values).sum(1) * weights).sum() / weights.sum()


def squared_loss(scores: Float[Tensor, "b a"], values: Float[Tensor, "b a"], weights: Float[Tensor, " b"]) -> Tensor:
    """(Y* - Y)^2, summed over the attributes, averaged over the images; arguments as for `logistic_loss`."""
    return ((scores.float() - values).square().sum(1) * weights).sum() / weights.sum()
