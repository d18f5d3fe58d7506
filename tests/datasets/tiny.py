"""Tiny image sets, garments and photographs that tests make by hand."""

import io

import numpy as np
from PIL import Image

from debugset.datasets.fashion import CLASSES, FashionParams, PlantedParams
from debugset.datasets.fashion_mnist import CONTEXTS
from debugset.images.sets import open_set, write_set


def png(pixels):
    """An array of bytes (height, width, 3) as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file, "PNG")
    return file.getvalue()


def decoded(content):
    """An image file as an array of bytes (height, width, 3)."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def plain(colour, height=8, width=8):
    """An image of one colour."""
    return np.broadcast_to(np.asarray(colour, np.uint8), (height, width, 3))


def tiny_set(folder, images, labels, classes=("a", "b", "c"), per_shard=1000):
    """An image set of arrays: ids 00000, 00001, … in shards of ``per_shard``."""
    folder.mkdir(parents=True, exist_ok=True)
    records = [
        ({"id": f"{row:05d}", "label": int(label), "shard": f"{row // per_shard:03d}.tar"}, png(image))
        for row, (image, label) in enumerate(zip(images, labels, strict=True))
    ]
    write_set(folder, records, classes)
    return open_set(folder)


def fake_garments(per_class, random_state=0):
    """Garments of noise, no two alike, with rows of zeros where the context shows, and their classes."""
    rng = np.random.default_rng(random_state)
    images = rng.integers(0, 256, (per_class * len(CLASSES), 28, 28), dtype=np.uint8)
    images[:, :4] = 0
    return images, np.repeat(np.arange(len(CLASSES)), per_class).astype(np.uint8)


def fake_photographs(side=40):
    """A plain photograph a context: its colour says which one it is."""
    return {name: plain([20 + 40 * place] * 3, side, side) for place, name in enumerate(CONTEXTS)}


def noisy_photographs(height=37, width=43):
    """A photograph of noise a context: no two of their crops are alike."""
    rng = np.random.default_rng(0)
    return {name: rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for name in CONTEXTS}


def prepare_params(planted=0, **changes):
    """Parameters of a small world: no planted photos, unless a number for each kind is given."""
    kinds = {kind: planted for kind in PlantedParams.model_fields}
    sizes = {"train": 60, "test": 40, "seed_source": 20, "heldout_source": 20, "diagnosis": 20, "photos_per_class": 40}
    shares = {"skew": 0.9, "wrong_label": 0.5, "no_garment": 0.125, "cross_class": 0.0, "growth": 0.25}
    return FashionParams(**{"source": "fashion", "random_state": 0, **sizes, **shares, "planted": kinds, **changes})
