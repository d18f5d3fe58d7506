"""A tiny project whose stages of data-centric debugging run one by one: images of one colour, features by hand."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from debugset.base.files import sha256, write_json, write_parquet
from debugset.base.paths import DEDUP, ERRORS, EVALUATED, FEATURES, PICKS, POOL, SETS, TRAIN
from debugset.features.store import list_parts
from debugset.images.sets import MANIFEST
from tests.datasets.tiny import plain, tiny_set

CLASSES = ("coat", "dress", "bag")
PARAMS = {
    "errors": {"classes": ["coat", "dress"], "setting": "single", "models": []},
    "embed": {"precision": "fp32"},
    "dedup": {"quantile": 0.0},
    "pick": {"per_seed": 2, "per_seed_validation": 1, "weak_labels": True, "normalise": False},
}


def write_params(**changes):
    """Write params.yaml, sections with some keys changed."""
    sections = {name: section | changes.get(name, {}) for name, section in PARAMS.items()}
    Path("params.yaml").write_text(yaml.safe_dump(sections))


def colours(guesses, first=0):
    """Images that `tests.models.toys.mean_colour` takes for the classes guessed, no two alike."""
    images = []
    for number, guess in enumerate(guesses, start=first):
        colour = [number % 100, number % 100, number // 100]
        colour[guess] = 250
        images.append(plain(colour))
    return images


def write_images(folder, labels, guesses=None, first=0):
    """An image set, its images taken for what they are unless ``guesses`` tells."""
    shutil.rmtree(folder, ignore_errors=True)  # an image set is written into an empty folder
    return tiny_set(folder, colours(labels if guesses is None else guesses, first), labels, CLASSES)


def write_sets(**guesses):
    """The five sets, two images a class; ``guesses`` tells of a set what its six images are taken for."""
    labels = [0, 0, 1, 1, 2, 2]
    sets = {}
    for place, name in enumerate((TRAIN, *EVALUATED)):
        sets[name] = write_images(SETS / name, labels, guesses.get(name), first=10 * place)
    return sets


def write_features(images, values, embedder="robust"):
    """Features of an image set, a row an image."""
    target = FEATURES / embedder / images.folder.name
    target.mkdir(parents=True, exist_ok=True)
    digests = {}
    for name, rows in images.parts().items():
        np.save(target / f"{name}.npy", np.asarray(values, np.float32)[rows])
        digests[name] = sha256(target / f"{name}.npy")
    parts = list_parts(images.parts(), digests)
    about = {"manifest_sha256": sha256(images.folder / MANIFEST), "parts": parts}
    write_json(target.with_name(f"{target.name}.json"), about)


def write_pool(labels, images=None):
    """The pool, its images unlike all others unless they are given."""
    return tiny_set(POOL, images or colours([0] * len(labels), first=5000), labels, CLASSES)


def write_failures(classes, role="seed", name="seed_source"):
    """Failures of a set, one of each of the classes, the first image of it each time."""
    ids = [f"{2 * class_:05d}" for class_ in classes]
    columns = {"role": role, "set": name, "class": classes, "image_id": ids, "predicted": 2}
    write_parquet(ERRORS / "failures.parquet", pd.DataFrame(columns))


def write_fates(pool, kept):
    """What the leak filter kept of the pool."""
    write_parquet(DEDUP / "keep.parquet", pd.DataFrame({"image_id": pool.ids, "keep": np.asarray(kept, bool)}))


def write_picks(name, picks):
    """Picks of a purpose: pairs of class and image id."""
    columns = {"class": [class_ for class_, _ in picks], "image_id": [image_id for _, image_id in picks]}
    table = pd.DataFrame(columns).astype({"class": "int64", "image_id": "object"})
    write_parquet(PICKS / f"{name}.parquet", table)
