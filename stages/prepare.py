"""Stage prepare: the image sets, and in the default also the simulator's world of photos."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from debugset.base.command import run
from debugset.base.files import replacing_folder
from debugset.base.params import read
from debugset.base.paths import DIAGNOSIS, HELDOUT_SOURCE, SEED_SOURCE, SETS, TEST, TRAIN, WORLD
from debugset.base.progress import progress
from debugset.datasets import imagenet
from debugset.datasets.fashion import CLASSES, ROLES, FashionParams, draw_set, wardrobe
from debugset.datasets.fashion_mnist import garments, photographs
from debugset.datasets.photos import draw_world
from debugset.datasets.sections import prepare_params
from debugset.images.sets import write_manifest, write_set

IMAGES_PER_SHARD = 10_000


def main() -> None:
    """Write the five sets and the world of the source that params name."""
    params = prepare_params(read())
    if isinstance(params, imagenet.ImageNetParams):
        _imagenet(params)
    else:
        _fashion(params)


def _fashion(params: FashionParams) -> None:
    """Draw the five sets and the world, all disjoint in garments."""
    contexts = photographs()
    clothes = wardrobe(*garments(), np.random.default_rng([params.random_state, 200]))
    tests = []
    for name in progress(ROLES, what="prepare: sets"):
        frame, files = draw_set(name, params, clothes, contexts)
        shards = [f"{row // IMAGES_PER_SHARD:05d}.tar" for row in range(len(frame))]
        records: list[Any] = frame.assign(shard=shards).to_dict("records")
        with replacing_folder(SETS / name) as folder:
            write_set(folder, zip(records, files, strict=True), CLASSES)
        if name != TRAIN:
            tests.append(frame.assign(content=files))
    photos = draw_world(params, clothes, contexts, pd.concat(tests, ignore_index=True))
    with replacing_folder(WORLD) as folder:
        write_set(folder, progress(photos, what="prepare: photos", unit=" photos"), CLASSES)


def _imagenet(params: imagenet.ImageNetParams) -> None:
    """Describe the five sets' files where they lie; the world is empty, for the pool comes from Flickr."""
    root, classes = imagenet.image_root(), imagenet.class_names()
    for name, files in _imagenet_files(root, params).items():
        manifest = imagenet.described(root, files, f"prepare: {name}")
        with replacing_folder(SETS / name) as folder:
            write_manifest(folder, manifest, classes, root_variable=imagenet.ROOT_VARIABLE)
    with replacing_folder(WORLD) as folder:
        write_set(folder, [], classes)


def _imagenet_files(root: Path, params: imagenet.ImageNetParams) -> dict[str, pd.DataFrame]:
    """Every set's files; all are listed before the first is read, so that a missing folder shows at once."""
    releases = {name: imagenet.release_files(root, folder) for name, folder in params.releases.model_dump().items()}
    others = imagenet.complement({name: list(files["id"]) for name, files in releases.items()}, imagenet.MATCHED)
    return {
        SEED_SOURCE: releases[imagenet.MATCHED],
        HELDOUT_SOURCE: imagenet.chosen_files(releases, others),
        DIAGNOSIS: imagenet.class_files(root, params.diagnosis, every_class=False),
        TEST: imagenet.class_files(root, params.test),
        TRAIN: imagenet.class_files(root, params.train),
    }


if __name__ == "__main__":
    run(main)
