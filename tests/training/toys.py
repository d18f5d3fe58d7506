"""Recipes and training sets small enough to look through."""

import numpy as np
from torch import nn

from debugset.models.classifier import Classifier
from debugset.training.batches import TrainingSet
from debugset.training.recipe import Recipe
from tests.datasets.tiny import plain, tiny_set
from tests.models.toys import small_network


def recipe(**changes):
    settings = {"steps": 6, "batch": 4, "peak_lr": 0.1, "warmup": 0.25, "momentum": 0.9, "weight_decay": 0.0,
                "label_smoothing": 0.0, "augmentation": "shift_flip", "shift": 1, "precision": "fp32",
                "channels_last": True}  # fmt: skip
    return Recipe(**(settings | changes))


def colour(label, number):
    """A plain image whose colour says its label and its number."""
    return plain((40 + 80 * label, number, 10 * label))


def coloured_set(folder, count, first=0):
    """Images whose colour says their label (their number modulo 3)."""
    numbers = np.arange(first, first + count)
    return tiny_set(folder, [colour(number % 3, number) for number in numbers], numbers % 3, per_shard=5)


def two_parts(tmp_path):
    """Rows of two image sets, in an order of their own: 7 and 4 images."""
    first, second = coloured_set(tmp_path / "one", 10), coloured_set(tmp_path / "two", 6, first=100)
    rows = [np.array([9, 0, 3, 4, 7, 1, 2]), np.array([5, 2, 0, 1])]
    labels = np.concatenate([first.labels[rows[0]], second.labels[rows[1]]])
    weights = (1 + labels / 10).astype(np.float32)
    return TrainingSet([(first, rows[0]), (second, rows[1])], labels, weights)


def network(random_state=0, batch_norm=False):
    """A classifier of three classes on 8 px, by default without batch norm."""
    layers = small_network(8, random_state)
    if not batch_norm:
        layers[1] = nn.Identity()
    return Classifier(layers, (0.5,) * 3, (0.25,) * 3)
