"""Stage prepare: the image sets, and in the default also the simulator's world of photos."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from debugset.files import replacing_folder
from debugset.images.fashion import CLASSES, SETS, PrepareParams, draw_set, wardrobe
from debugset.images.photos import draw_world
from debugset.images.sets import write_set
from debugset.images.sources import garments, photographs
from debugset.params import load
from stages import run

IMAGES_PER_SHARD = 10_000


def main() -> None:
    """Draw the five sets and the world, all disjoint in garments."""
    params = load("prepare", PrepareParams)
    contexts = photographs()
    clothes = wardrobe(*garments(), np.random.default_rng([params.seed, 200]))
    tests = []
    for name in tqdm(SETS, desc="prepare: sets"):
        frame, files = draw_set(name, params, clothes, contexts)
        shards = [f"{row // IMAGES_PER_SHARD:05d}.tar" for row in range(len(frame))]
        records = frame.assign(shard=shards).to_dict("records")
        with replacing_folder(Path("data/sets") / name) as folder:
            write_set(folder, zip(records, files, strict=True), CLASSES)
        if name != "train":
            tests.append(frame.assign(content=files))
    photos = draw_world(params, clothes, contexts, pd.concat(tests, ignore_index=True))
    with replacing_folder(Path("data/world")) as folder:
        write_set(folder, tqdm(photos, desc="prepare: photos", unit=" photos"), CLASSES)


if __name__ == "__main__":
    run(main)
