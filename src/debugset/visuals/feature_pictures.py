"""The pictures of a feature: the images that activate it most, where it looks in them, and what raises it further."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from debugset.base.arrays import ArrayLike, as_rows
from debugset.features.matrix import Matrix, as_features
from debugset.images.sets import ImageSet
from debugset.models.classifier import Classifier
from debugset.models.device import device
from debugset.models.outputs import pixel_batches, png_files
from debugset.models.registry import Architecture
from debugset.visuals.feature_attack import feature_attack
from debugset.visuals.heatmaps import SMALL, feature_maps, has_maps, overlay, pixel_gradients
from debugset.visuals.params import VisualsParams

SHOWN = 6  # images of each kind: a row of a card
PICTURE_COLUMNS = ["kind", "feature", "rank", "image_id", "value", "png"]
_ROWS_AT_A_TIME = 8192  # of features: 64 MB where they are 2,048 in float32


class Embedder(NamedTuple):
    """A model with its features of an image set, and how it is fed."""

    classifier: Classifier  # in evaluation mode, on `debugset.models.device.device`
    architecture: Architecture
    features: Matrix


def strongest_rows(
    features: Float[Matrix, "n _d"] | ArrayLike,
    chosen: Int64[np.ndarray, " f"] | ArrayLike,
    rows: Int64[np.ndarray, " r"] | ArrayLike,
    count: int = SHOWN,
) -> Int64[np.ndarray, "f s"]:
    """The rows that activate each of some features most, the strongest first; of equal ones the first.

    Features are read once, by blocks of rows; memory holds one block.

    Args:
        features: of a whole image set.
        chosen: indices of the features.
        rows: of the set, which are looked at.
        count: how many; where there are fewer rows, all come back.

    Raises:
        ValueError: a feature or row does not exist.
    """
    matrix = as_features(features, "features")
    chosen = as_rows(chosen, "chosen", matrix.shape[1])
    rows = as_rows(rows, "rows", len(matrix))
    strongest = np.empty((len(chosen), 0), np.int64)
    highest = np.empty((len(chosen), 0))
    for start in range(0, len(rows), _ROWS_AT_A_TIME):
        block = rows[start : start + _ROWS_AT_A_TIME]
        values = np.asarray(matrix[block])[:, chosen].T.astype(np.float64)
        values = np.concatenate([highest, values], axis=1)  # what came before stands first, so it wins a tie
        candidates = np.concatenate([strongest, np.tile(block, (len(chosen), 1))], axis=1)
        order = np.argsort(-values, axis=1, kind="stable")[:, :count]
        highest = np.take_along_axis(values, order, axis=1)
        strongest = np.take_along_axis(candidates, order, axis=1)
    return strongest


def feature_pictures(
    feature: int, embedder: Embedder, images: ImageSet, rows: Int64[np.ndarray, " r"], params: VisualsParams
) -> pd.DataFrame:
    """The pictures of a feature on the images that activate it most, as `strongest_rows` gives them.

    Returns:
        kind (activating; heatmap where features are means of maps; gradient where there are none or small ones;
        attack), feature, rank (that of the image among the rows), image_id, value (the feature's; NaN for heatmap and
        gradient), png.

    Raises:
        ValueError: the feature does not exist.
    """
    classifier, ids = embedder.classifier, images.ids[rows]
    pixels = input_pixels(images, rows, embedder.architecture).to(device())
    attack = feature_attack(
        classifier, pixels, feature, radius=params.attack_radius, step=params.attack_step, steps=params.attack_steps
    )
    pictures = picture_rows("activating", feature, ids, pixels, attack.before)
    side = 0
    if has_maps(classifier, pixels):
        heat, side = feature_maps(classifier, pixels, feature)
        pictures += picture_rows("heatmap", feature, ids, overlay(pixels, heat))
    if side < SMALL:
        heat = pixel_gradients(classifier, pixels, feature)
        pictures += picture_rows("gradient", feature, ids, overlay(pixels, heat))
    pictures += picture_rows("attack", feature, ids, attack.pixels, attack.after)
    return pd.DataFrame(pictures, columns=PICTURE_COLUMNS)


def input_pixels(
    images: ImageSet, rows: Int64[np.ndarray, " r"], architecture: Architecture
) -> Float[Tensor, "r 3 h w"]:
    """A few images as an architecture sees them, pixels in [0, 1], in one batch."""
    return torch.cat(list(pixel_batches(images, rows, architecture, len(rows))))


def picture_rows(
    kind: str, feature: int, ids: np.ndarray, pixels: Float[Tensor, "b 3 h w"], values: Tensor | None = None
) -> list[dict[str, Any]]:
    """`PICTURE_COLUMNS` of pictures of one kind; ``values`` are the feature's, where it applies."""
    rows = []
    for rank, png in enumerate(png_files(pixels, optimize=True)):
        value = float("nan") if values is None else float(values[rank])
        rows.append({"kind": kind, "feature": feature, "rank": rank, "image_id": ids[rank], "value": value, "png": png})
    return rows
