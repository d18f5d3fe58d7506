"""The pictures of a failure mode: what its features look at, and failures that its rule holds for."""

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Int64
from PIL import Image
from torch import Tensor

from debugset.barlow.feature_attack import feature_attack
from debugset.barlow.heatmaps import SMALL, feature_maps, has_maps, overlaid, pixel_gradients
from debugset.barlow.params import BarlowParams
from debugset.barlow.tree import Rule
from debugset.features.matrix import Matrix
from debugset.images.sets import ImageSet
from debugset.models.classifier import Classifier
from debugset.models.device import device
from debugset.models.outputs import pixel_batches
from debugset.models.registry import Architecture

SHOWN = 6
PICTURE_COLUMNS = ["mode", "kind", "feature", "rank", "image_id", "value", "png"]


class Embedder(NamedTuple):
    """A model with its features of an image set, and how it is fed."""

    classifier: Classifier
    architecture: Architecture
    features: Matrix


def mode_pictures(
    mode: str,
    rule: Rule,
    embedder: Embedder,
    images: ImageSet,
    group: Int64[np.ndarray, " g"],
    failures: Int64[np.ndarray, " f"],
    params: BarlowParams,
) -> pd.DataFrame:
    """All pictures of a mode.

    Args:
        mode: its name.
        rule: its conditions; each feature in them is shown.
        embedder: whose features the rule speaks of.
        images: the image set.
        group: rows of the mode's group, of which the six that activate a feature most are shown.
        failures: rows of failures that the rule holds for, of which six are drawn.
        params: the attack's, and the random state of the draw.

    Returns:
        mode, kind (activating, heatmap, gradient, attack or failure), feature (-1 for failures), rank, image_id,
        value (the feature's; NaN where it does not apply), png.
    """
    rng = np.random.default_rng([params.random_state, *mode.encode()])
    drawn = np.sort(rng.choice(failures, min(SHOWN, len(failures)), replace=False))
    rows: list[dict[str, Any]] = []
    for feature in dict.fromkeys(feature for feature, _, _ in rule):
        values = np.asarray(embedder.features[group])[:, feature]
        top = group[np.argsort(-values, kind="stable")[:SHOWN]]
        rows += _described(feature, images, top, _feature_pictures(feature, embedder, images, top, params))
    shown = _pixels(images, drawn, embedder.architecture)
    rows += _described(-1, images, drawn, iter([("failure", shown, None)]))
    return pd.DataFrame(rows).assign(mode=mode)[PICTURE_COLUMNS]


def _feature_pictures(
    feature: int, embedder: Embedder, images: ImageSet, rows: np.ndarray, params: BarlowParams
) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    """Kind, pictures and the feature's values."""
    classifier = embedder.classifier
    pixels = _pixels(images, rows, embedder.architecture).to(device())
    attack = feature_attack(
        classifier, pixels, feature, radius=params.attack_radius, step=params.attack_step, steps=params.attack_steps
    )
    yield "activating", pixels, attack.before
    side = 0
    if has_maps(classifier, pixels):
        heat, side = feature_maps(classifier, pixels, feature)
        yield "heatmap", overlaid(pixels, heat), None
    if side < SMALL:
        yield "gradient", overlaid(pixels, pixel_gradients(classifier, pixels, feature)), None
    yield "attack", attack.pixels, attack.after


def _pixels(images: ImageSet, rows: np.ndarray, architecture: Architecture) -> Tensor:
    return torch.cat(list(pixel_batches(images, rows, architecture, len(rows))))


def _described(
    feature: int, images: ImageSet, rows: np.ndarray, pictures: Iterator[tuple[str, Tensor, Tensor | None]]
) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind, "feature": feature, "rank": rank, "image_id": images.ids[row],
            "value": float("nan") if values is None else float(values[rank]), "png": png(shown[rank]),
        }
        for kind, shown, values in pictures
        for rank, row in enumerate(rows)
    ]  # fmt: skip


def png(pixels: Tensor) -> bytes:
    """One image, pixels in [0, 1], as a PNG file."""
    array = (pixels.permute(1, 2, 0).clamp(0, 1) * 255).round().byte().cpu().numpy()
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
