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
from debugset.features.spool import spooled
from debugset.features.store import described_parts
from debugset.images.sets import MANIFEST, ImageSet
from debugset.models.classifier import Classifier, Description, fingerprint
from debugset.models.device import autocast
from debugset.models.inference import ready
from debugset.models.outputs import outputs
from debugset.models.params import Precision


def embed(
    classifier: Classifier,
    description: Description,
    images: ImageSet,
    target: Path,
    spool: Path,
    *,
    precision: Precision,
) -> None:
    """Write the features of a whole image set: ``<target>/<part>.npy`` (rows, d) float32 and ``<target>.json``.

    A part's rows are those of a shard, in the manifest's order (`ImageSet.parts`); its file stays the same,
    byte by byte, when other shards are added.

    Args:
        classifier: the embedder, as `debugset.models.inference.ready` gives it.
        description: of the embedder.
        images: the image set.
        target: path of the outs, without ending.
        spool: folder of finished shards' features; lies outside the outs.
        precision: of the forward pass.
    """
    parts = images.parts()
    compute = partial(
        outputs, classifier, images, architecture=description.architecture,
        of="features", precision=precision,
    )  # fmt: skip
    bar = progress(total=len(images), what=f"embed: {images.folder.name}", unit=" images")
    digests = {}
    with replacing_folder(target) as folder, bar:
        for name, rows in parts.items():
            key = _shard_key(description, images, rows, precision, next(classifier.parameters()).device)
            file = folder / f"{name}.npy"
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(spooled(spool, key, partial(compute, rows)), file)
            digests[name] = sha256(file)
            bar.update(len(rows))
    write_json(
        target.parent / f"{target.name}.json",
        {
            "embedder": description.name,
            "weights_sha256": description.weights_sha256,
            "preprocessing": json.loads(fingerprint(description))[1],
            "precision": precision,
            "manifest_sha256": sha256(images.folder / MANIFEST),
            "parts": described_parts(parts, digests),
        },
    )


def _shard_key(
    description: Description, images: ImageSet, rows: np.ndarray, precision: Precision, where: torch.device
) -> list[str]:
    """All that decides the features: weights, preprocessing, code, kind of device, images in order."""
    code = [sha256(Path(inspect.getfile(one))) for one in (outputs, ready, Classifier, ImageSet, autocast)]
    libraries = [f"{name} {version(name)}" for name in ("torch", "timm", "pillow")]
    content = [fingerprint(description), precision, where.type, *code, *libraries]
    return content + images.manifest["sha256"].iloc[rows].to_list()
