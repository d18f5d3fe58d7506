"""Stage train@V: the variant V's training set and its models, one a seed."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from debugset.base.command import run
from debugset.base.files import replacing_folder, write_json
from debugset.base.params import load
from debugset.dcd.variants import Added, added_images, describe_added, nothing_added
from debugset.images.sets import ImageSet, open_set
from debugset.models.classifier import save
from debugset.models.params import StandardParams
from debugset.training.batches import TrainingSet
from debugset.training.fitting import fit_fresh
from debugset.training.recipe import Recipe, TrainParams


def main() -> None:
    """Compose the training set of the variant that the command names, and train it with every seed."""
    variant = sys.argv[1]
    standard, recipe, params = load("standard", StandardParams), load("recipe", Recipe), load("train", TrainParams)
    if variant == "retrain" and standard.seed in params.seeds:
        raise ValueError(f"params.yaml: `train.seeds` holds the original's seed {standard.seed}; retrain needs others")
    original = open_set("data/sets/train")
    with replacing_folder(Path("models/variants") / variant) as folder:
        for seed in params.seeds:
            data, described = _training_set(variant, original, seed)
            if seed == params.seeds[0]:  # the others add as many
                write_json(Path(f"data/added/{variant}.json"), described)
            name = f"train: {variant}, seed {seed}"
            model = fit_fresh(standard.architecture, data, original.classes, recipe, seed, describe=name)
            save(folder / str(seed), *model)


def _training_set(variant: str, original: ImageSet, seed: int) -> tuple[TrainingSet, dict]:
    classes = len(original.classes)
    parts = [(original, np.arange(len(original), dtype=np.int64))]
    if variant == "retrain":
        added, described = nothing_added(classes), {"images": 0, "by_class": {}, "weak_label_precision": None}
    else:
        pool = open_set("data/pool")
        added = _added(variant, pool, original, seed)
        described = describe_added(added, pool.manifest, original.classes)
        parts.append((pool, added.rows))
    labels = np.concatenate([original.labels, added.labels])
    return TrainingSet(parts, labels, added.class_weights[labels]), described


def _added(variant: str, pool: ImageSet, original: ImageSet, seed: int) -> Added:
    embedder = variant.removeprefix("dcd-") if variant.startswith("dcd-") else "foundation"
    keep = pd.read_parquet("data/dedup/keep.parquet")
    picks = pd.read_parquet(f"data/picks/{embedder}.parquet")
    return added_images(variant, pool.manifest, keep, picks, original.labels, len(original.classes), seed)


if __name__ == "__main__":
    run(main)
