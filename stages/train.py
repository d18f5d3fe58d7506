"""Stage train@V: the variant V's training set and its models, one a random state."""

import numpy as np

from debugset.base.command import argument, run
from debugset.base.files import read_parquet, replacing_folder, write_json
from debugset.base.params import load
from debugset.base.paths import ADDED, DEDUP, DEVAL, PICKS, POOL, SETS, TRAIN, VARIANTS
from debugset.dcd import variants
from debugset.images.sets import ImageSet, open_set
from debugset.models.classifier import save_model
from debugset.models.params import OriginalParams
from debugset.training.batches import TrainingSet
from debugset.training.fitting import fit_fresh, whole_set
from debugset.training.recipe import Recipe, TrainParams


def main() -> None:
    """Compose the training set of the variant that the command names, and train it with every random state."""
    variant = argument("VARIANT")
    if variant not in variants.VARIANTS:
        raise ValueError(f"{variant}: is no variant; choose from {', '.join(variants.VARIANTS)}")
    original, recipe, params = load("original", OriginalParams), load("recipe", Recipe), load("train", TrainParams)
    if variant == "retrain" and original.random_state in params.random_states:
        raise ValueError(
            f"params.yaml: `train.random_states` holds the original's, {original.random_state}; retrain needs others"
        )
    images = open_set(SETS / TRAIN)
    with replacing_folder(VARIANTS / variant) as folder:
        for random_state in params.random_states:
            data, described = training_set(variant, images, random_state)
            if random_state == params.random_states[0]:  # the others add as many
                write_json(ADDED / f"{variant}.json", described)
            what = f"train: {variant}, random state {random_state}"
            model = fit_fresh(original.architecture, data, images.classes, recipe, random_state, what=what)
            save_model(folder / str(random_state), *model)


def training_set(variant: str, images: ImageSet, random_state: int) -> tuple[TrainingSet, dict]:
    """The original training images with what the variant adds, and a description of that.

    Raises:
        ValueError: a variant other than retrain adds nothing.
    """
    if variant == "retrain":
        return whole_set(images), variants.NOTHING_ADDED
    pool = open_set(POOL)
    added = added_images(variant, pool, images, random_state)
    if not len(added.rows):
        mend = "collect more photos (section `scrape`), or lower `dedup.quantile` or `pick.per_seed_validation`"
        raise ValueError(f"train: variant {variant} adds no image, so it would be retrain again; {mend}")
    labels = np.concatenate([images.labels, added.labels])
    parts = [(images, np.arange(len(images), dtype=np.int64)), (pool, added.rows)]
    described = variants.describe_added(added, pool.manifest, images.classes)
    return TrainingSet(parts, labels, added.class_weights[labels]), described


def added_images(variant: str, pool: ImageSet, images: ImageSet, random_state: int) -> variants.Added:
    """What a variant other than retrain adds."""
    classes = len(images.classes)
    if variant.startswith(variants.DCD):
        picks = read_parquet(PICKS / f"{variant.removeprefix(variants.DCD)}.parquet")
        return variants.picked_images(pool.manifest, picks, classes)
    keep, deval = read_parquet(DEDUP / "keep.parquet"), read_parquet(PICKS / f"{DEVAL}.parquet")
    available = variants.candidates(pool.manifest, keep, deval)
    if variant == "complete":
        return variants.complete_images(pool.manifest, available, images.labels, classes)
    picks = read_parquet(PICKS / "foundation.parquet")
    return variants.random_images(pool.manifest, available, picks, classes, random_state)


if __name__ == "__main__":
    run(main)
