"""Random pixels, images ever redder, a small ResNet, and a backbone of two functions."""

import numpy as np
import torch
from torch import nn

from debugset.images.pixels import png_file
from debugset.images.sets import open_set, write_set
from debugset.models.classifier import Classifier, build
from debugset.models.registry import find_architecture
from tests.models.toys import PLAIN


def pixels(count=5, side=32, random_state=0):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(random_state))


def pooled(forward_features, pool=lambda maps: maps.mean(dim=(2, 3))):
    """A classifier whose backbone is two functions."""
    backbone = nn.Module()
    backbone.forward_features = forward_features
    backbone.forward_head = lambda maps, pre_logits=True: pool(maps)
    return Classifier(backbone, PLAIN.mean, PLAIN.std)


def small_resnet():
    torch.manual_seed(0)
    return build(find_architecture("test_resnet"), 3).eval()


def reddening_images(folder):
    """Twelve images, each of one colour, ever redder."""
    records = []
    for place in range(12):
        colours = np.full((32, 32, 3), (20 * place, 40, 200), np.uint8)
        records.append(({"id": f"image-{place:02}", "label": 0, "shard": "0.tar"}, png_file(colours)))
    write_set(folder, records, ["a"])
    return open_set(folder)
