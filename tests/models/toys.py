"""Models small enough to reckon by hand, and descriptions of them."""

import torch
from torch import nn

from debugset.models.classifier import Classifier, Description
from debugset.models.registry import Architecture

PLAIN = Architecture("toy", "scratch", 8, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


class MeanColour(nn.Module):
    """A backbone whose features are the mean colour, which is also its logits; it counts its calls."""

    def __init__(self):
        super().__init__()
        self.calls = []
        self.scale = nn.Parameter(torch.ones(3))

    def forward_features(self, x):
        self.calls.append(len(x))
        return x

    def forward_head(self, x, pre_logits=False):
        return x.mean(dim=(2, 3)) * self.scale

    def forward(self, x):
        return self.forward_head(self.forward_features(x))


def mean_colour(architecture=PLAIN):
    return Classifier(MeanColour(), architecture.mean, architecture.std).eval()


def described(architecture=PLAIN, weights_sha256="1" * 64):
    return Description("toy", architecture, ("a", "b", "c"), "by hand", weights_sha256)


def small_network(side=8, random_state=0):
    """A convolution, batch norm, and a decision layer for three classes."""
    torch.manual_seed(random_state)
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * (side - 2) ** 2, 3)]
    return nn.Sequential(*layers)
