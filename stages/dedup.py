"""Stage dedup: copies and leaks leave the pool, judged by robust features."""

import numpy as np
import pandas as pd

from debugset.base.command import run
from debugset.base.files import replacing_folder, write_json, write_parquet
from debugset.base.machine import spool_folder
from debugset.base.params import load
from debugset.base.paths import DEDUP, EVALUATED, POOL, SETS, TEST, TRAIN
from debugset.dcd import dedup
from debugset.features.store import open_features
from debugset.images.sets import open_set

BORDER_PAIRS = 24


def main() -> None:
    """Write every pool image's fate, the thresholds, the scores and the pairs at the border."""
    params = load("dedup", dedup.DedupParams)
    pool = open_set(POOL)
    sets, features = {}, {}
    for name in (TRAIN, *EVALUATED):
        sets[name] = open_set(SETS / name)
        features[name] = open_features("robust", sets[name])
    train, test = sets[TRAIN], sets[TEST]
    distances = dedup.class_distances(features[TRAIN], train.labels, features[TEST], test.labels)
    thresholds = {}
    for name, quantile in {"used": params.quantile, "minimum": 0.0}.items():
        thresholds[name] = dedup.class_thresholds(distances, quantile)
    compared = np.concatenate([np.asarray(features[name]) for name in EVALUATED])
    named = pd.concat([sets[name].manifest.assign(set=name) for name in EVALUATED], ignore_index=True)
    spool, pooled = spool_folder() / "distances", open_features("robust", pool)
    leaks = dedup.far_from(pooled, pool.labels, compared, thresholds["used"], spool=spool)
    fates = dedup.decide_fates(pool.manifest, named, train.manifest, leaks, thresholds["used"])
    dedup.check_kept(fates, params.quantile)
    for line in dedup.lost_classes(fates, pool.labels, pool.classes):
        print(line)
    scores, by_class = {}, {}
    for name, limits in thresholds.items():
        scores[name] = dedup.filter_scores(fates, pool.manifest, dedup.thresholds_of(pool.labels, limits))
    for label in distances:
        by_class[train.classes[label]] = {name: limits[label] for name, limits in thresholds.items()}
    with replacing_folder(DEDUP) as folder:
        write_parquet(folder / "keep.parquet", fates)
        write_parquet(folder / "border.parquet", dedup.border_pairs(fates, BORDER_PAIRS))
        write_json(folder / "thresholds.json", {"quantile": params.quantile, "classes": by_class})
        write_json(folder / "scores.json", {"quantile": params.quantile, **scores})


if __name__ == "__main__":
    run(main)
