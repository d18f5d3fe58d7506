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
from functools import partial

import numpy as np
from sklearn.feature_selection import mutual_info_classif

from debugset.barlow.information import mutual_information
from debugset.barlow.predictions import stored_predictions
from debugset.barlow.tree import failure_tree
from debugset.base.machine import workers
from debugset.base.paths import DIAGNOSIS, ERRORS, FEATURES, SETS
from debugset.features.store import open_features
from debugset.images.sets import open_set

IMAGES, WIDTH, CLASSES, ROUNDS, CHOSEN = 1300, 2048, 1000, 5, 20


def main() -> None:
    """Print ratios, the time of 1,000 classes with its peak memory, and how many chosen features agree."""
    print(f"{platform.machine()}, {workers()} threads, {IMAGES} images x {WIDTH} features, float32")
    features, failed = _group(0)
    for estimator in ("ksg", "binned"):
        mutual_information(features[:, :2], failed, estimator=estimator)  # compiles
    seconds = {name: _median(features, failed, name) for name in ("ksg", "binned")}
    theirs = _seconds(lambda: mutual_info_classif(features, failed, random_state=0, n_jobs=workers()))
    print(f"scikit-learn {theirs:8.3f} s")
    for name, value in seconds.items():
        print(f"{name:12} {value:8.3f} s   {theirs / value:6.0f} times as fast")
    _all_classes()
    if (FEATURES / "robust" / f"{DIAGNOSIS}.json").is_file():
        _agreement()


def _group(random_state: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(random_state)
    failed = rng.random(IMAGES) < rng.uniform(0.1, 0.5)
    features = rng.standard_normal((IMAGES, WIDTH), np.float32)
    features += failed[:, None] * rng.random(WIDTH, np.float32) * 0.4
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
        spent += _seconds(partial(failure_tree, features, failed))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{CLASSES} classes, one grouping, trees of depth 1 included: {spent:.0f} s, peak memory {peak:.2f} GiB")


def _agreement() -> None:
    """How many of scikit-learn's top 20 features each estimator keeps on the default run, mean over the classes."""
    images = open_set(SETS / DIAGNOSIS)
    failed = stored_predictions(ERRORS / "predictions.parquet", "original", images) != images.labels
    for embedder in ("robust", "original"):
        features, kept = open_features(embedder, images)[:], []
        for class_ in np.unique(images.labels):
            rows = images.labels == class_
            kept.append(_kept(features[rows], failed[rows]))
        other_draw, ksg, binned = np.mean(kept, axis=0)
        print(
            f"{embedder}: of scikit-learn's {CHOSEN} features another draw keeps {other_draw:.1f}, "
            f"ksg {ksg:.1f}, binned {binned:.1f}"
        )


def _kept(features: np.ndarray, failed: np.ndarray) -> list[int]:
    """How many of scikit-learn's top features another draw of its noise keeps, then each estimator."""
    theirs = _top(mutual_info_classif(features, failed, random_state=0))
    others = [mutual_info_classif(features, failed, random_state=1)]
    others += [mutual_information(features, failed, estimator=estimator) for estimator in ("ksg", "binned")]
    return [len(theirs & _top(information)) for information in others]


def _top(information: np.ndarray) -> set[int]:
    return set(np.argsort(-information, kind="stable")[:CHOSEN].tolist())


if __name__ == "__main__":
    main()
