"""Picking for every class, from a pool that grows: what the seeds have near them in a shard is found once and kept.

A seed's nearest images of the pool are among its nearest of every shard. So the beginning of its list of
neighbours is put together from those of the shards, and only shards that are new, or have changed, are searched.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int64
from tqdm import tqdm

from debugset import neighbours
from debugset.feature_files import Features, Part
from debugset.files import sha256
from debugset.neighbours import VALUES_AT_A_TIME, Matrix, Nearest, nearest
from debugset.picks import FIRST_LIST, Lists, Picks, all_picks, check_problem, pick_from_lists
from debugset.shard_spool import digest, spooled

KEPT_PAIRS = 2**20  # of a class and a shard; where so many would not do, lists are short and some seeds search again
REMOVED = -1  # in place of the label of an image that is not searched
_LISTED = np.dtype([("place", np.int32), ("distance", np.float64)])  # place: row of the shard


class _Class(NamedTuple):
    """The seeds of one class, and how many neighbours of each are listed."""

    label: int
    seeds: np.ndarray
    neighbours: int


def pick_by_shard(
    seeds: Float[np.ndarray, "s _d"],
    seed_labels: Int64[np.ndarray, " s"],
    pool: Features,
    pool_labels: Int64[np.ndarray, " n"],
    per_seed: int,
    spool: Path,
    *,
    removed: Bool[np.ndarray, " _n"],
    taken: Bool[np.ndarray, " _n"],
    weak_labels: bool = True,
    normalise: bool = False,
) -> Picks:
    """Pick for every class on its own among the pool images that carry its weak label (section 3.5).

    What has been found in a shard stays in the spool, so a killed run goes on with the shards that are left, and
    a grown pool searches its new shards only. With very many seeds a class (as without weak labels) the lists
    that are kept are short; seeds for which they end too early search the pool again.

    Args:
        seeds: features of the failures.
        seed_labels: their true classes.
        pool: features of the pool.
        pool_labels: the weak labels.
        per_seed: picks a seed.
        spool: folder of finished shards' neighbours; lies outside the outs.
        removed: pool images that the filters took out; where this changes, the shard is searched again.
        taken: pool images that were picked for another purpose. It may change without any search.
        weak_labels: if false, one search over the whole pool for all seeds (Appendix I).
        normalise: scale features to length 1 first, so that distance grows with the angle.

    Returns:
        Picks in rows of ``seeds`` and ``pool``: classes ascending, within a class in the order of picking.

    Raises:
        ValueError: as `debugset.picks.pick_neighbours`.
    """
    check_problem(seeds, pool, per_seed, {"removed": removed, "taken": taken})
    if not weak_labels:
        seed_labels, pool_labels = np.zeros_like(seed_labels), np.zeros_like(pool_labels)
    if normalise:
        seeds = normalised(seeds)
    searched = np.where(removed, REMOVED, pool_labels)
    classes = _classes(seed_labels, per_seed, int(taken.sum()))
    found = []
    for one, first in zip(classes, _first_lists(seeds, classes, pool, searched, spool, normalise), strict=True):
        free = searched == one.label
        lists, search = Lists(len(one.seeds)), partial(_search, seeds[one.seeds], pool, normalise)
        lists.extend(np.arange(len(one.seeds)), first, images=int(free.sum()))
        mine = pick_from_lists(lists, search, per_seed, taken | ~free)
        found.append(mine._replace(seed=one.seeds[mine.seed]))
    return all_picks(found)


def normalised(features: Float[Matrix, "n d"]) -> Float[np.ndarray, "n d"]:
    """Features scaled to length 1, in float32 at least; a row of zeros stays as it is.

    A row comes out the same whatever rows it comes with.
    """
    features = np.array(features, np.result_type(features.dtype, np.float32), order="C")
    step = max(1, VALUES_AT_A_TIME // max(1, features.shape[1]))
    for start in range(0, len(features), step):
        block = features[start : start + step]
        lengths = np.sqrt(np.square(block, dtype=np.float64).sum(axis=1))
        block /= np.where(lengths > 0, lengths, 1).astype(features.dtype)[:, None]
    return features


def _classes(seed_labels: np.ndarray, per_seed: int, taken: int) -> list[_Class]:
    """The classes with seeds.

    A seed needs at most all that its class picks, and what was taken before: as a rule the same number a seed.
    """
    most = per_seed + -(-taken // max(1, len(seed_labels)))
    found = []
    for label in np.unique(seed_labels):
        rows = np.flatnonzero(seed_labels == label)
        enough = most * len(rows)
        count = enough if enough * len(rows) <= KEPT_PAIRS else min(enough, FIRST_LIST * most)
        found.append(_Class(int(label), rows, count))
    return found


def _first_lists(
    seeds: np.ndarray, classes: list[_Class], pool: Features, searched: np.ndarray, spool: Path, normalise: bool
) -> Iterator[Nearest]:
    """The nearest images of every class's seeds, put together from the shards."""
    code = [sha256(Path(file)) for file in (__file__, neighbours.__file__)]
    asked = [digest(seeds), *(f"{one.label} {one.neighbours} {digest(one.seeds)}" for one in classes)]
    key = [*asked, f"normalise {normalise}", *code, f"numpy {np.__version__}"]
    parts: list[list[Nearest]] = [[] for _ in classes]
    with tqdm(total=len(pool), desc="pick: searched", unit=" images", mininterval=1, disable=None) as bar:
        for part in pool.parts():
            labels = searched[part.rows]
            compute = partial(_listed, seeds, classes, part, labels, normalise)
            kept = np.load(spooled(spool, [*key, part.sha256, digest(labels)], compute))
            for lists, found in zip(parts, _unpacked(kept, classes, labels), strict=True):
                lists.append(found._replace(row=part.rows[found.row]))
            bar.update(len(part.rows))
    return (_merged(found, one) for found, one in zip(parts, classes, strict=True))


def _listed(seeds: np.ndarray, classes: list[_Class], part: Part, labels: np.ndarray, normalise: bool) -> np.ndarray:
    """The nearest images of a shard for every seed, class after class, in a form that one file holds."""
    found = [np.empty(0, _LISTED)]
    for one in classes:
        places = np.flatnonzero(labels == one.label)
        values = normalised(part.values[places]) if normalise else part.values[places]
        near = nearest(seeds[one.seeds], values, one.neighbours, names=("seeds", "pool"))
        listed = np.empty(near.row.size, _LISTED)
        listed["place"], listed["distance"] = places[near.row].ravel(), near.distance.ravel()
        found.append(listed)
    return np.concatenate(found)


def _unpacked(listed: np.ndarray, classes: list[_Class], labels: np.ndarray) -> Iterator[Nearest]:
    """What `_listed` found, class after class."""
    start = 0
    for one in classes:
        width = min(one.neighbours, int((labels == one.label).sum()))
        mine = listed[start : start + len(one.seeds) * width].reshape(len(one.seeds), width)
        yield Nearest(mine["place"].astype(np.int64), mine["distance"].copy())
        start += mine.size


def _merged(found: list[Nearest], one: _Class) -> Nearest:
    """The nearest images of a class's seeds, from those of every shard."""
    nothing = Nearest(np.empty((len(one.seeds), 0), np.int64), np.empty((len(one.seeds), 0)))
    row, distance = (np.concatenate(columns, axis=1) for columns in zip(nothing, *found, strict=True))
    order = np.lexsort((row, distance))[:, : one.neighbours]
    return Nearest(np.take_along_axis(row, order, 1), np.take_along_axis(distance, order, 1))


def _search(
    seeds: np.ndarray, pool: Features, normalise: bool, which: np.ndarray, count: int, taken: np.ndarray
) -> Nearest:
    """Find the nearest free images of some seeds in the whole pool."""
    if not normalise:
        return nearest(seeds[which], pool, count, exclude=taken, names=("seeds", "pool"))
    rows = np.flatnonzero(~taken)
    found = nearest(seeds[which], normalised(pool[rows]), count, names=("seeds", "pool"))
    return found._replace(row=rows[found.row])
