"""Stage evaluate: predictions of every variant on every set, and of the original on de-val."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from debugset.base.command import run
from debugset.base.files import write_parquet
from debugset.base.params import load
from debugset.dcd.variants import VARIANTS
from debugset.images.sets import ImageSet, open_set
from debugset.models.classifier import load as load_model
from debugset.models.inference import ready
from debugset.models.outputs import predictions
from debugset.models.params import EmbedParams
from debugset.training.recipe import TrainParams

SETS = ("test", "mfreq", "complement", "deployment")


def main() -> None:
    """Predict with every variant and seed on the test sets, the deployment set and de-val."""
    embed, seeds = load("embed", EmbedParams), load("train", TrainParams).seeds
    sets = [(name, images, np.arange(len(images)), images.labels) for name, images in _test_sets()]
    de_val = _de_val()
    # Stage errors has predicted the test sets with the original; it is one model, whatever its seed.
    jobs = [("original", 0, "models/standard", [de_val])]
    jobs += [(name, seed, f"models/variants/{name}/{seed}", [*sets, de_val]) for name in VARIANTS for seed in seeds]
    frames = []
    for variant, seed, folder, predicted_sets in tqdm(jobs, "evaluate", unit=" models"):
        classifier, description = load_model(Path(folder))
        classifier = ready(classifier)
        for name, images, rows, labels in predicted_sets:
            predicted = predictions(classifier, description, images, rows, precision=embed.precision)
            frame = pd.DataFrame({"image_id": images.ids[rows], "label": labels, "predicted": predicted})
            frames.append(frame.assign(variant=variant, seed=seed, set=name))
    write_parquet(Path("data/predictions.parquet"), pd.concat(frames, ignore_index=True))


def _test_sets() -> list[tuple[str, ImageSet]]:
    return [(name, open_set(f"data/sets/{name}")) for name in SETS]


def _de_val() -> tuple[str, ImageSet, np.ndarray, np.ndarray]:
    """The de-val images, with the weak label as label."""
    pool, picks = open_set("data/pool"), pd.read_parquet("data/picks/foundation.parquet")
    chosen = picks[picks["role"] == "deval"]
    return "deval", pool, pool.rows_of(chosen["image_id"]), chosen["class"].to_numpy(np.int64)


if __name__ == "__main__":
    run(main)
