"""Embedding: the features of whole image sets, a file a shard, resumable.

A finished shard's features lie in a spool keyed by its images, the weights and the preprocessing, so that a
killed run goes on where it stopped and a grown pool embeds only its new shards.
"""

import inspect
import json
import shutil
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from debugset.base.files import replacing_folder, sha256, write_json
from debugset.base.progress import progress
from debugset.features.spool import compute_once
from debugset.features.store import list_parts
from debugset.images.pixels import square_pixels
from debugset.images.sets import MANIFEST, ImageSet
from debugset.models.classifier import Classifier, Description, fingerprint
from debugset.models.device import autocast
from debugset.models.inference import prepare_for_inference
from debugset.models.outputs import compute_outputs
from debugset.models.params import Precision


def embed(
    classifier: Classifier, description: Description, images: ImageSet, target: Path, spool: Path, precision: Precision
) -> None:
    """Write the features of a whole image set: ``<target>/<part>.npy`` (rows, d) float32 and ``<target>.json``.

    A part's rows are those of a shard, in the manifest's order (`ImageSet.parts`); its file stays the same,
    byte by byte, when other shards are added.

    Args:
        classifier: the embedder, as `debugset.models.inference.prepare_for_inference` gives it.
        target: path of the outs, without ending.
        spool: folder of finished shards' features; lies outside the outs.
    """
    device = next(classifier.parameters()).device
    parts = images.parts()
    digests: dict[str, str | None] = {}
    bar = progress(total=len(images), what=f"embed: {images.folder.name}", unit=" images")
    with replacing_folder(target) as folder, bar:
        for name, rows in parts.items():
            compute = partial(compute_outputs, classifier.features, images, rows, description.architecture, precision)
            spooled = compute_once(spool, _shard_key(description, images, rows, precision, device), compute)
            file = folder / f"{name}.npy"
            file.parent.mkdir(parents=True, exist_ok=True)  # a shard may lie in a folder of its own
            shutil.copyfile(spooled, file)
            digests[name] = sha256(file)
            bar.update(len(rows))
    about = {
        "embedder": description.name,
        "weights_sha256": description.weights_sha256,
        "preprocessing": json.loads(fingerprint(description))[1],
        "precision": precision,
        "manifest_sha256": sha256(images.folder / MANIFEST),
        "parts": list_parts(parts, digests),
    }
    write_json(target.parent / f"{target.name}.json", about)


def _shard_key(
    description: Description, images: ImageSet, rows: np.ndarray, precision: Precision, device: torch.device
) -> list[str]:
    """All that decides the features: weights, preprocessing, code, kind of device, images in order."""
    key = [fingerprint(description), precision, device.type]
    for code in (compute_outputs, prepare_for_inference, Classifier, square_pixels, ImageSet, autocast):
        key.append(sha256(Path(inspect.getfile(code))))
    for library in ("torch", "timm", "pillow"):
        key.append(f"{library} {version(library)}")
    return key + images.manifest["sha256"].iloc[rows].to_list()
