"""Stage dedup: copies and leaks leave the pool, judged by robust features."""

from pathlib import Path

import numpy as np
import pandas as pd

from debugset.base.command import run
from debugset.base.files import replacing_folder, write_json, write_parquet
from debugset.base.machine import spool_folder
from debugset.base.params import load
from debugset.dcd.dedup import (
    DedupParams,
    border_pairs,
    class_distances,
    far_from_by_shard,
    fates,
    filter_scores,
    quantiles,
    thresholds_of,
)
from debugset.features.store import open_features
from debugset.images.sets import open_set

TESTS = ("mfreq", "complement", "test", "deployment")
BORDER_PAIRS = 24


def main() -> None:
    """Write every pool image's fate, the thresholds, the scores and the pairs at the border."""
    params = load("dedup", DedupParams)
    pool = open_set("data/pool")
    sets = {name: open_set(f"data/sets/{name}") for name in ("train", *TESTS)}
    features = {name: open_features("robust", images) for name, images in sets.items()}
    train, test = sets["train"], sets["test"]
    distances = class_distances(features["train"], train.labels, features["test"], test.labels)
    thresholds = {"used": quantiles(distances, params.quantile), "minimum": quantiles(distances, 0.0)}

    compared = np.concatenate([np.asarray(features[name]) for name in TESTS])
    named = pd.concat([sets[name].manifest.assign(set=name) for name in TESTS], ignore_index=True)
    spool = spool_folder() / "distances"
    leaks = far_from_by_shard(open_features("robust", pool), pool.labels, compared, thresholds["used"], spool)
    decided = fates(pool.manifest, named, train.manifest, leaks, thresholds["used"])
    scores = {
        name: filter_scores(decided, pool.manifest, thresholds_of(pool.labels, limits))
        for name, limits in thresholds.items()
    }
    by_class = {
        train.classes[label]: {name: limits[label] for name, limits in thresholds.items()} for label in distances
    }
    with replacing_folder(Path("data/dedup")) as folder:
        write_parquet(folder / "keep.parquet", decided)
        write_parquet(folder / "border.parquet", border_pairs(decided, BORDER_PAIRS))
        write_json(folder / "thresholds.json", {"quantile": params.quantile, "classes": by_class})
        write_json(folder / "scores.json", {"quantile": params.quantile, **scores})


if __name__ == "__main__":
    run(main)
