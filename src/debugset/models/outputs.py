"""What a model says of images: its penultimate features, its logits, its predictions."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor

from debugset.base.arrays import ArrayLike, as_rows
from debugset.images.pixels import decode_ahead, png_file, square_pixels
from debugset.images.sets import ImageSet
from debugset.models.classifier import Classifier, Description
from debugset.models.device import autocast, device
from debugset.models.inference import batch_size
from debugset.models.params import Precision
from debugset.models.registry import Architecture

Rows = Int64[np.ndarray, " n"] | ArrayLike  # of a manifest


def pixel_batches(images: ImageSet, rows: Rows, architecture: Architecture, batch: int) -> Iterator[Tensor]:
    """Batches of the rows' images in order, as pixels in [0, 1], decoded in threads one batch ahead."""
    rows = as_rows(rows, "rows", len(images))
    size, crop, interpolation = architecture.input_size, architecture.crop, architecture.interpolation

    def decode(row: int) -> np.ndarray:
        return square_pixels(images.image(row), size, crop=crop, interpolation=interpolation)

    batches = (rows[start : start + batch].tolist() for start in range(0, len(rows), batch))
    for pixels in decode_ahead(batches, decode):
        yield _as_batch(pixels)


def png_files(pixels: Float[Tensor, "b 3 h w"], *, optimize: bool = False) -> list[bytes]:
    """Images with pixels in [0, 1] as PNG files; arguments as for `debugset.images.pixels.png_file`."""
    arrays = pixels.clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return [png_file(array, optimize=optimize) for array in arrays]


def compute_outputs(
    forward: Callable[[Tensor], Tensor], images: ImageSet, rows: Rows, architecture: Architecture, precision: Precision
) -> Float32[np.ndarray, "n d"]:
    """What a model says of images in the order of the rows, batch by batch; of none a matrix without columns.

    Args:
        forward: maps pixels in [0, 1] to what is wished: a `Classifier` to logits, its ``features`` to features; on
            `debugset.models.device.device`, as `debugset.models.inference.prepare_for_inference` gives it.
        architecture: says how images are prepared.
        precision: of the forward pass; the result is float32 in any case.
    """
    batches = pixel_batches(images, rows, architecture, batch_size(device(), architecture.input_size))
    return _outputs(forward, batches, precision)


def outputs_of_pixels(
    forward: Callable[[Tensor], Tensor],
    pixels: UInt8[np.ndarray, "n h w 3"],
    architecture: Architecture,
    precision: Precision,
) -> Float32[np.ndarray, "n d"]:
    """What `compute_outputs` says, of images in memory that already have the architecture's input size.

    Raises:
        ValueError: they have another size.
    """
    size = architecture.input_size
    if pixels.shape[1:3] != (size, size):
        height, width = pixels.shape[1:3]
        raise ValueError(f"pixels: the model takes {size} x {size} px, got {height} x {width}; resize them")
    batch = batch_size(device(), size)
    batches = (_as_batch(pixels[start : start + batch]) for start in range(0, len(pixels), batch))
    return _outputs(forward, batches, precision)


def _as_batch(pixels: UInt8[np.ndarray, "b h w 3"]) -> Tensor:
    """Bytes as what a classifier takes: pixels in [0, 1], channels first."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(255)


def _outputs(
    forward: Callable[[Tensor], Tensor], batches: Iterable[Tensor], precision: Precision
) -> Float32[np.ndarray, "n d"]:
    """What a model says of batches, one under the other; of none a matrix without columns."""
    where = device()
    results = []
    for pixels in batches:
        with torch.inference_mode(), autocast(where, precision):
            result = forward(pixels.to(where, memory_format=torch.channels_last))
        results.append(result.float().cpu().numpy())
    return np.concatenate(results) if results else np.empty((0, 0), np.float32)


def predict(
    classifier: Classifier, description: Description, images: ImageSet, rows: Rows, precision: Precision
) -> Int64[np.ndarray, " n"]:
    """The predicted class index of images; arguments as for `compute_outputs`."""
    logits = compute_outputs(classifier, images, rows, description.architecture, precision)
    return logits.argmax(1) if len(rows) else np.empty(0, np.int64)


def predict_table(
    classifier: Classifier, description: Description, images: ImageSet, rows: Rows, precision: Precision
) -> pd.DataFrame:
    """What `predict` says as a table, to which the caller adds ``model, random_state`` and ``set``."""
    rows = as_rows(rows, "rows", len(images))
    predicted = predict(classifier, description, images, rows, precision)
    return pd.DataFrame({"image_id": images.ids[rows], "label": images.labels[rows], "predicted": predicted})
