"""Reading an embedder's features of an image set, memory-mapped, checked against the set's manifest."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from debugset.files import read_json, sha256
from debugset.images.sets import MANIFEST, ImageSet

FEATURES = Path("data/features")


def open_features(embedder: str, images: ImageSet, folder: Path = FEATURES) -> Float[np.ndarray, "n d"]:
    """Open the features of an image set; row i belongs to manifest row i.

    Args:
        embedder: the slot's name, for example ``robust``.
        images: the image set; its folder's name is the features' name.
        folder: holds a folder for each embedder.

    Raises:
        FileNotFoundError: the set has not been embedded.
        ValueError: the features belong to another version of the set.
    """
    path = folder / embedder / f"{images.folder.name}.npy"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such features; run stage embed@{embedder}, or `dvc pull`")
    features = np.load(path, mmap_mode="r")
    described = read_json(path.with_suffix(".json"))
    same = described.get("manifest_sha256") == sha256(images.folder / MANIFEST)
    if not same or len(features) != len(images):
        raise ValueError(f"{path}: belongs to another version of {images.folder}; run stage embed@{embedder} again")
    return features
