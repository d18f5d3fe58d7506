"""How fast failures are explained, and whether the fast estimator keeps the paper's choice of features.

What: mutual information of 1,300 images x 2,048 features with failure by `debugset.barlow`, and the trees of 1,000
such groups, their features generated one group at a time and dropped again.
Against: scikit-learn's `mutual_info_classif` with as many threads, side by side in one run.
On: generated features, 30 % of them zero as after a ReLU; the top 20 also on the features of the default run, if it is
there. The last output is committed beside this file, with its machine.

    python -m benchmarks.barlow > benchmarks/barlow.txt
"""

import platform
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_selection import mutual_info_classif

from debugset.barlow.information import mutual_information
from debugset.barlow.tree import failure_tree
from debugset.base.machine import workers
from debugset.features.store import open_features
from debugset.images.sets import open_set

IMAGES, FEATURES, CLASSES, ROUNDS, CHOSEN = 1300, 2048, 1000, 5, 20


def main() -> None:
    """Print ratios, the time of 1,000 classes with its peak memory, and how many chosen features agree."""
    print(f"{platform.machine()}, {workers()} threads, {IMAGES} images x {FEATURES} features, float32")
    features, failed = _group(0)
    for estimator in ("ksg", "binned"):
        mutual_information(features[:, :2], failed, estimator=estimator)  # compiles
    seconds = {name: _median(features, failed, name) for name in ("ksg", "binned")}
    theirs = _seconds(lambda: mutual_info_classif(features, failed, random_state=0, n_jobs=workers()))
    print(f"scikit-learn {theirs:8.3f} s")
    for name, value in seconds.items():
        print(f"{name:12} {value:8.3f} s   {theirs / value:6.0f} times as fast")
    _all_classes()
    if Path("data/features/robust/diagnosis.json").is_file():
        _agreement()


def _group(random_state: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(random_state)
    failed = rng.random(IMAGES) < rng.uniform(0.1, 0.5)
    features = rng.standard_normal((IMAGES, FEATURES), np.float32)
    features += failed[:, None] * rng.random(FEATURES, np.float32) * 0.4
    return np.maximum(features + 0.5, 0), failed


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _median(features: np.ndarray, failed: np.ndarray, estimator: str) -> float:
    work = [_seconds(lambda: mutual_information(features, failed, estimator=estimator)) for _ in range(ROUNDS)]
    return sorted(work)[ROUNDS // 2]


def _all_classes() -> None:
    """Every class's tree of depth 1 with the default estimator; making the features is not counted."""
    failure_tree(*_group(0))
    spent = 0.0
    for class_ in range(CLASSES):
        features, failed = _group(class_)
        spent += _seconds(lambda: failure_tree(features, failed))  # noqa: B023
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{CLASSES} classes, one grouping, trees of depth 1 included: {spent:.0f} s, peak memory {peak:.2f} GiB")


def _agreement() -> None:
    """How many of scikit-learn's top 20 features each estimator keeps on the default run, mean over the classes."""
    images = open_set("data/sets/diagnosis")
    table = pd.read_parquet("data/errors/predictions.parquet")
    table = table[(table["set"] == "diagnosis") & (table["model"] == "original")].set_index("image_id")
    failed = table["predicted"].reindex(images.ids).to_numpy() != images.labels
    for embedder in ("robust", "original"):
        features, kept = open_features(embedder, images)[:], []
        for class_ in np.unique(images.labels):
            rows = images.labels == class_
            first, other = (_top(mutual_info_classif(features[rows], failed[rows], random_state=s)) for s in (0, 1))
            ours = [_top(mutual_information(features[rows], failed[rows], estimator=e)) for e in ("ksg", "binned")]
            kept.append([len(first & chosen) for chosen in (other, *ours)])
        random_state, ksg, binned = np.mean(kept, axis=0)
        print(f"{embedder}: of scikit-learn's {CHOSEN} features another draw keeps {random_state:.1f}, ksg {ksg:.1f}, "
              f"binned {binned:.1f}")  # fmt: skip


def _top(information: np.ndarray) -> set[int]:
    return set(np.argsort(-information, kind="stable")[:CHOSEN].tolist())


if __name__ == "__main__":
    main()
