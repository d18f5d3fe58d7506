"""Embedding: penultimate features of a model over image sets, shard by shard, resumable, memory-mapped.

A finished shard's features lie in a spool keyed by its images, the weights and the preprocessing, so that a
killed run goes on where it stopped and a grown pool embeds only its new shards.
"""

import hashlib
import inspect
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from debugset.files import replacing_file, sha256, write_json
from debugset.images.sets import MANIFEST, ImageSet
from debugset.machine import workers
from debugset.models.classifier import Classifier, Description, fingerprint
from debugset.models.device import autocast, device
from debugset.models.params import Precision
from debugset.models.registry import Architecture


def prepared(image: Image.Image, architecture: Architecture) -> np.ndarray:
    """An image resized so that its shorter side is ``input_size / crop`` and cropped at the centre, as bytes."""
    size = architecture.input_size
    scale = round(size / architecture.crop) / min(image.size)
    if scale != 1:
        sides = (max(size, round(image.width * scale)), max(size, round(image.height * scale)))
        image = image.resize(sides, Image.Resampling[architecture.interpolation.upper()])
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return np.asarray(image.crop((left, top, left + size, top + size)))


def pixel_batches(
    images: ImageSet, rows: Int64[np.ndarray, " n"], architecture: Architecture, batch: int
) -> Iterator[Tensor]:
    """Batches of the rows' images in order, as pixels in [0, 1], decoded in threads one batch ahead."""

    def decode(row: int) -> np.ndarray:
        return prepared(images.image(row), architecture)

    with ThreadPoolExecutor(workers()) as pool:
        ahead = pool.map(decode, rows[:batch].tolist())
        for start in range(batch, len(rows) + batch, batch):
            current, ahead = ahead, pool.map(decode, rows[start : start + batch].tolist())
            yield torch.from_numpy(np.stack(list(current))).permute(0, 3, 1, 2).float().div_(255)


def outputs(
    classifier: Classifier,
    images: ImageSet,
    rows: Int64[np.ndarray, " n"],
    architecture: Architecture,
    *,
    of: str,
    batch: int,
    precision: Precision,
) -> Float32[np.ndarray, "n d"]:
    """Features or logits of images.

    Args:
        classifier: in evaluation mode.
        images: the image set.
        rows: manifest rows, in the order wished.
        architecture: says how images are prepared.
        of: ``features`` or ``logits``.
        batch: images at a time.
        precision: of the forward pass; the result is float32 in any case.
    """
    where = device()
    classifier = classifier.to(where).to(memory_format=torch.channels_last)
    run = classifier.features if of == "features" else classifier
    found = []
    for pixels in pixel_batches(images, rows, architecture, batch):
        with torch.inference_mode(), autocast(where, precision):
            output = run(pixels.to(where, memory_format=torch.channels_last))
        found.append(output.float().cpu().numpy())
    return np.concatenate(found) if found else np.empty((0, 0), np.float32)


def predictions(
    classifier: Classifier, description: Description, images: ImageSet, rows: Int64[np.ndarray, " n"], *,
    batch: int, precision: Precision,
) -> Int64[np.ndarray, " n"]:  # fmt: skip
    """The predicted class index of images; arguments as for `outputs`."""
    logits = outputs(classifier, images, rows, description.architecture, of="logits", batch=batch, precision=precision)
    return logits.argmax(1) if len(rows) else np.empty(0, np.int64)


def embed(
    classifier: Classifier,
    description: Description,
    images: ImageSet,
    target: Path,
    spool: Path,
    *,
    batch: int,
    precision: Precision,
) -> None:
    """Write the features of a whole image set: ``<target>.npy`` (n, d) float32, row i = manifest row i, and JSON.

    Args:
        classifier: the embedder, in evaluation mode.
        description: of the embedder.
        images: the image set.
        target: path of the outs, without ending.
        spool: folder of finished shards' features; lies outside the outs.
        batch: images at a time.
        precision: of the forward pass.
    """
    arrays = []
    with tqdm(total=len(images), desc=f"embed: {images.folder.name}", unit=" images", mininterval=1) as bar:
        for rows in images.parts():
            spooled = spool / f"{_shard_key(description, images, rows, batch, precision)}.npy"
            if not spooled.is_file():
                found = outputs(
                    classifier, images, rows, description.architecture,
                    of="features", batch=batch, precision=precision,
                )  # fmt: skip
                with replacing_file(spooled) as temporary, temporary.open("wb") as file:
                    np.save(file, found)
            arrays.append((rows, np.load(spooled, mmap_mode="r")))
            bar.update(len(rows))
    with replacing_file(target.with_suffix(".npy")) as temporary:
        shape = (len(images), arrays[0][1].shape[1] if arrays else 0)
        features = np.lib.format.open_memmap(temporary, "w+", np.float32, shape)
        for rows, array in arrays:
            features[rows] = array
        features.flush()
    write_json(
        target.with_suffix(".json"),
        {
            "embedder": description.name,
            "weights_sha256": description.weights_sha256,
            "preprocessing": json.loads(fingerprint(description))[1],
            "precision": precision,
            "manifest_sha256": sha256(images.folder / MANIFEST),
        },
    )


def _shard_key(description: Description, images: ImageSet, rows: np.ndarray, batch: int, precision: Precision) -> str:
    """All that decides the features: weights, preprocessing, the code that computes them, images in order."""
    code = [sha256(Path(path)) for path in (__file__, inspect.getfile(Classifier))]
    libraries = [f"{name} {version(name)}" for name in ("torch", "timm", "pillow")]
    content = [fingerprint(description), precision, str(batch), *code, *libraries]
    content += images.manifest["sha256"].iloc[rows].to_list()
    return hashlib.sha256("\n".join(content).encode()).hexdigest()
