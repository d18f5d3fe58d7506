"""Removing pool images that are copies, or too near to a test image (Data-Centric Debugging, Appendix D).

Added images must be at least as different from every test image as the training images are: the threshold of
a class is the smallest distance between its training and its test images, on robust features.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64, Int64, Num
from pydantic import Field

from debugset.base.arrays import ArrayLike, as_labels
from debugset.base.files import sha256
from debugset.base.params import Section
from debugset.base.paths import POOL
from debugset.base.progress import progress
from debugset.features import neighbours
from debugset.features.matrix import Matrix, as_features
from debugset.features.neighbours import nearest
from debugset.features.spool import array_sha256, compute_once
from debugset.features.store import Features

KINDS = ("exact", "reencoded", "shifted", "brightness", "duplicate")
_NEAREST = np.dtype([("row", np.int64), ("distance", np.float64)])


class DedupParams(Section):
    """How the leak filter sets its thresholds.

    Attributes:
        quantile: which quantile of a class's distances from test to training images is its threshold. 0 is
            the paper's minimum, which near-duplicates between training and test set make vacuous.
    """

    quantile: float = Field(ge=0, le=1)


class Leaks(NamedTuple):
    """What the leak filter found: which pool images are far from every test image, and each one's nearest test image.

    Of several nearest rows it is the first; distances are squared L2.
    """

    keep: Bool[np.ndarray, " n"]
    nearest: Int64[np.ndarray, " n"]
    distance: Float64[np.ndarray, " n"]


def class_distances(
    train: Float[Matrix, "n _d"] | ArrayLike,
    train_labels: Int64[np.ndarray, " _n"] | ArrayLike,
    test: Float[Matrix, "t _d"] | ArrayLike,
    test_labels: Int64[np.ndarray, " _t"] | ArrayLike,
) -> dict[int, Float64[np.ndarray, " c"]]:
    """By class, each test image's squared L2 distance to its nearest training image of the class, in robust features.

    Raises:
        ValueError: shapes do not fit, a feature is not finite, a label is no class index, or a class has no training or
            no test image.
    """
    train, train_labels = _as_images(train, train_labels, "train")
    test, test_labels = _as_images(test, test_labels, "test", width=train.shape[1])
    if not len(train) or not len(test):
        raise ValueError(f"{'test' if len(train) else 'train'}: the set is empty")
    distances = {}
    for label in np.union1d(train_labels, test_labels):
        train_rows, test_rows = np.flatnonzero(train_labels == label), np.flatnonzero(test_labels == label)
        if not len(train_rows) or not len(test_rows):
            lacking = "train_labels" if len(test_rows) else "test_labels"
            raise ValueError(f"{lacking}: no image of class {label}, so it has no threshold; leave the class out")
        found = nearest(test[test_rows], train[train_rows], 1, names=("test", "train"))
        distances[int(label)] = found.distance[:, 0]
    return distances


def class_thresholds(distances: Mapping[int, Float64[np.ndarray, " c"]], quantile: float = 0.0) -> dict[int, float]:
    """The squared distance that an added image of a class must exceed (Appendix D).

    Args:
        distances: by `class_distances`.
        quantile: linear, of a class's distances; 0 is the paper's minimum.

    Raises:
        ValueError: the quantile is outside [0, 1].
    """
    if not 0 <= quantile <= 1:
        raise ValueError(f"quantile: must lie in [0, 1], got {quantile}")
    return {label: float(np.quantile(values, quantile)) for label, values in distances.items()}


def far_from(
    pool: Float[Matrix, "n _d"] | ArrayLike,
    pool_labels: Int64[np.ndarray, " _n"] | ArrayLike,
    tests: Float[np.ndarray, "t _d"] | ArrayLike,
    thresholds: dict[int, float],
    *,
    spool: Path | None = None,
) -> Leaks:
    """Find the pool images that are far from every test image (Appendix D).

    Args:
        pool: robust features of the pool, read in blocks.
        tests: those of all test images, of any class.
        thresholds: squared distance by class; an image stays if its distance to every test image exceeds the
            threshold of its own weak label.
        spool: a folder outside the outs in which the distances of each part of `Features` stay: a killed run goes on
            with the parts that are left, a grown pool compares its new ones only, and other thresholds compare nothing.

    Raises:
        ValueError: shapes do not fit, a feature is not finite, there is no test image, or a weak label is no class
            index or has no threshold.
    """
    pool, pool_labels = _as_images(pool, pool_labels, "pool")
    tests = np.asarray(as_features(tests, "tests", width=pool.shape[1]))
    if not len(tests):
        raise ValueError("tests: the set is empty, so nothing can be compared; pass the test images' features")
    limits = thresholds_of(pool_labels, thresholds)
    if spool is not None and isinstance(pool, Features):
        found = _nearest_tests_by_part(pool, tests, spool)
    else:
        found = _nearest_tests(pool, tests)
    return Leaks(found["distance"] > limits, found["row"].copy(), found["distance"].copy())


def _nearest_tests_by_part(pool: Features, tests: Num[np.ndarray, "t _d"], spool: Path) -> np.ndarray:
    """`_nearest_tests`, a part after another, each from the spool if it was found before."""
    found = np.empty(len(pool), _NEAREST)
    code = [sha256(Path(file)) for file in (__file__, neighbours.__file__)]
    key = [array_sha256(tests), *code, f"numpy {np.__version__}"]
    with progress(total=len(pool), what="dedup: compared", unit=" images") as bar:
        for part in pool.parts():
            compare = partial(_nearest_tests, part.values, tests)
            found[part.rows] = np.load(compute_once(spool, [*key, part.sha256], compare))
            bar.update(len(part.rows))
    return found


def _nearest_tests(pool: Num[Matrix, "n _d"], tests: Num[np.ndarray, "t _d"]) -> np.ndarray:
    """Every pool image's nearest test image, in a form that one file holds."""
    nearby, found = nearest(pool, tests, 1, names=("pool", "tests")), np.empty(len(pool), _NEAREST)
    found["row"], found["distance"] = nearby.row[:, 0], nearby.distance[:, 0]
    return found


def thresholds_of(labels: Int64[np.ndarray, " n"], thresholds: dict[int, float]) -> Float64[np.ndarray, " n"]:
    """Each image's threshold by its label.

    Raises:
        ValueError: a label has no threshold.
    """
    limits = pd.Series(labels).map(thresholds).to_numpy(np.float64)
    if np.isnan(limits).any():
        unknown = labels[np.isnan(limits)].min()
        raise ValueError(f"thresholds: class {unknown} of pool_labels has none; compute it from train and test")
    return limits


def decide_fates(
    pool: pd.DataFrame, tests: pd.DataFrame, train: pd.DataFrame, leaks: Leaks, thresholds: dict[int, float]
) -> pd.DataFrame:
    """Decide on every pool image: kept, a duplicate, or a leak.

    A byte-identical copy of a test image is a leak at distance 0; one of a training image, or of an earlier
    pool image, is a duplicate.

    Args:
        pool: id, label, sha256 in manifest order, which is oldest first.
        tests: set, id, sha256, in the order of the rows that ``leaks`` names.
        train: id, sha256.
        leaks: what `far_from` found.
        thresholds: squared distance by class.

    Returns:
        image_id, keep, reason ("", "duplicate" or "leak"), nearest_set, nearest_id, distance, threshold.
    """
    keep, distance = leaks.keep.copy(), leaks.distance.copy()
    reason = np.where(keep, "", "leak").astype(object)
    nearest_set = tests["set"].to_numpy(object)[leaks.nearest]
    nearest_id = tests["id"].to_numpy(object)[leaks.nearest]
    content = pool["sha256"]
    for why, source, copied in (  # the last word is the strongest reason
        ("duplicate", pool.assign(set="pool"), content.duplicated()),
        ("duplicate", train.assign(set="train"), content.isin(train["sha256"])),
        ("leak", tests, content.isin(tests["sha256"])),
    ):
        first = source.drop_duplicates("sha256").set_index("sha256").loc[content[copied]]
        where = copied.to_numpy()
        keep[where], reason[where], distance[where] = False, why, 0.0
        nearest_set[where], nearest_id[where] = first["set"].to_numpy(object), first["id"].to_numpy(object)
    limits = thresholds_of(pool["label"].to_numpy(np.int64), thresholds)
    columns = {"image_id": pool["id"].to_numpy(object), "keep": keep, "reason": reason, "nearest_set": nearest_set}
    return pd.DataFrame(columns | {"nearest_id": nearest_id, "distance": distance, "threshold": limits})


def check_kept(fates: pd.DataFrame, quantile: float) -> None:
    """See to it that the filters keep an image of the pool; arguments as of `decide_fates` and `class_thresholds`.

    Raises:
        ValueError: they keep none.
    """
    if fates["keep"].any():
        return
    mend = "collect more photos (section `scrape`)"
    if quantile > 0:
        mend = f"lower `dedup.quantile`, or {mend}"
    raise ValueError(f"{POOL}: the filters keep none of its {len(fates)} images: {_counts(fates)}; {mend}")


def lost_classes(fates: pd.DataFrame, labels: Int64[np.ndarray, " n"], class_names: Sequence[str]) -> Iterator[str]:
    """A line for each class of which the filters keep no image; ``labels`` are the pool images' weak ones."""
    for label in np.unique(labels):
        of_class = fates[labels == label]
        if not of_class["keep"].any():
            yield f"dedup: no image of {class_names[label]} is kept: {_counts(of_class)}"


def _counts(fates: pd.DataFrame) -> str:
    """How many images were removed, by reason, in words."""
    return f"{(fates['reason'] == 'leak').sum()} leaks, {(fates['reason'] == 'duplicate').sum()} duplicates"


def removed_images(fates: pd.DataFrame, pool_ids: np.ndarray) -> Bool[np.ndarray, " n"]:
    """Which pool images the filters took out.

    Raises:
        ValueError: the fates are those of other images.
    """
    if not np.array_equal(fates["image_id"].to_numpy(object), pool_ids):
        raise ValueError("data/dedup/keep.parquet: belongs to another version of the pool; run stage dedup again")
    return ~fates["keep"].to_numpy(bool)


def border_pairs(fates: pd.DataFrame, count: int) -> pd.DataFrame:
    """The ``count`` pairs nearest to the leak filter's threshold on each side, those removed first.

    Nearness is the ratio of distance to threshold. Byte-identical copies, nowhere near it, are left out.
    """
    compared = fates[(fates["reason"] != "duplicate") & (fates["distance"] > 0)]
    ratio = compared["distance"] / compared["threshold"]
    removed = ratio[~compared["keep"]].sort_values(ascending=False, kind="stable").index[:count]
    kept = ratio[compared["keep"]].sort_values(kind="stable").index[:count]
    columns = ["image_id", "nearest_id", "nearest_set", "distance", "threshold", "keep"]
    return compared.loc[[*removed, *kept], columns].reset_index(drop=True)


def filter_scores(fates: pd.DataFrame, pool: pd.DataFrame, thresholds: Float64[np.ndarray, " n"]) -> dict[str, Any]:
    """What the filters removed under the given thresholds and, in a generated world, how well.

    Args:
        fates: of `decide_fates`.
        pool: the manifest; ``planted`` and ``copy_of`` tell what was planted.
        thresholds: each image's, which may differ from those that decided ``fates``.

    Returns:
        images, kept, duplicates, leaks; with a column ``planted`` also recall and planted (count) by kind and
        false_removal_rate: the share of unplanted images that were removed as leaks.
    """
    duplicate = (fates["reason"] == "duplicate").to_numpy()
    leak = ~duplicate & (fates["distance"].to_numpy() <= thresholds)
    removed = duplicate | leak
    scores: dict[str, Any] = {"images": len(fates), "kept": int((~removed).sum())}
    scores |= {"duplicates": int(duplicate.sum()), "leaks": int(leak.sum())}
    if "planted" not in pool:
        return scores
    planted = pool["planted"].to_numpy(object)
    caught = pd.Series(removed, index=pool["id"].to_numpy(object))
    recall, counts = {}, {}
    for kind in KINDS:
        copies = pool[planted == kind]
        hit = caught[copies["id"]].to_numpy()
        if kind == "duplicate":  # either of two equal photos may be the older one, which stays
            original = caught.reindex(copies["copy_of"])
            there = original.notna().to_numpy()
            hit = (hit | original.eq(True).to_numpy())[there]
        counts[kind] = len(hit)
        recall[kind] = float(hit.mean()) if len(hit) else None
    genuine = planted == ""
    false = float(leak[genuine].mean()) if genuine.any() else None
    return scores | {"recall": recall, "planted": counts, "false_removal_rate": false}


def _as_images(
    features: Matrix | ArrayLike, labels: ArrayLike, name: str, *, width: int | None = None
) -> tuple[Matrix, Int64[np.ndarray, " n"]]:
    """The features and labels of the same images."""
    features = as_features(features, name, width=width)
    return features, as_labels(labels, f"{name}_labels", len(features))
