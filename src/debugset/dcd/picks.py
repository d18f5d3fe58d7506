"""Picking the pool images that are most similar to the failures (Data-Centric Debugging, Appendix E).

The smallest entry of the distance matrix is taken again and again; a picked image leaves the pool, and a seed
that has its share leaves too. That equals one scan of all pairs in ascending (distance, seed, image) order.
Only the beginning of each seed's list of neighbours is ever needed, so the pool is streamed and never held.
"""

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64, Int64, Num
from pydantic import Field

from debugset.base.arrays import ArrayLike, as_labels, as_mask
from debugset.base.files import sha256
from debugset.base.params import Section
from debugset.base.progress import progress
from debugset.features import neighbours
from debugset.features.matrix import Matrix, as_features
from debugset.features.neighbours import VALUES_AT_A_TIME, Nearest, nearest
from debugset.features.spool import array_sha256, compute_once
from debugset.features.store import Features, Part

FIRST_LIST = 4  # length of a seed's first list, in picks; a seed that runs dry gets one four times as long
LISTED_PAIRS = 2**23  # at most this many new pairs are listed at a time
SCANNED_AT_A_TIME = 2**16
KEPT_PAIRS = 2**20  # of a class and a shard; where so many would not do, lists are short and some seeds search again
REMOVED = -1  # in place of the label of an image that is not searched
_LISTED = np.dtype([("place", np.int32), ("distance", np.float64)])  # place: row of the shard

_Columns = TypeVar("_Columns", bound=tuple)


class PickParams(Section):
    """How pool images are picked for the failures.

    Attributes:
        per_seed: picks a seed of the debug-train set.
        per_seed_validation: picks a seed of the debug-validation set.
        weak_labels: search only the images whose weak label is the seed's class (the paper's choice).
        normalise: scale every feature vector to length 1 first, so that distance grows with the angle.
    """

    per_seed: int = Field(ge=1)
    per_seed_validation: int = Field(ge=1)
    weak_labels: bool
    normalise: bool


class Picks(NamedTuple):
    """Picked images in the order of picking: rows of the seeds and of the pool, squared L2 distances.

    A seed's first pick has rank 0.
    """

    seed: Int64[np.ndarray, " m"]
    image: Int64[np.ndarray, " m"]
    distance: Float64[np.ndarray, " m"]
    rank: Int64[np.ndarray, " m"]


def pick_neighbours(
    seeds: Float[np.ndarray, "s _d"] | ArrayLike,
    pool: Float[Matrix, "n _d"] | ArrayLike,
    per_seed: int,
    *,
    exclude: Bool[np.ndarray, " _n"] | ArrayLike | None = None,
    known: Nearest | None = None,
) -> Picks:
    """Pick up to ``per_seed`` pool images for every seed, no image twice (Appendix E, Algorithm 1).

    Args:
        seeds: features of the failures, perhaps of none.
        pool: features from the same embedder, read in blocks: an array, a `numpy.memmap`, or what
            `debugset.features.store.open_features` gives.
        per_seed: picks a seed. A pool that is too small is shared out as far as it goes.
        exclude: pool images that must not be picked.
        known: each seed's nearest images of the pool, if they were found before; excluded ones may be among them. A
            seed for which they end too early is searched for again.

    Returns:
        The picks, in ascending (distance, seed, image) order.

    Raises:
        ValueError: shapes do not fit, ``per_seed`` is below 1, a feature is not finite, or ``exclude`` is no mask.
    """
    seeds, pool = _as_problem(seeds, pool, per_seed)
    taken = np.zeros(len(pool), bool)
    if exclude is not None:
        taken |= as_mask(exclude, "exclude", len(pool), "pool images")
    lists = _Lists(len(seeds))
    if known is not None:
        lists.extend(np.arange(len(seeds)), known, taken)
    pairs = _join(list(_certain_picks(seeds, pool, per_seed, lists, taken)))
    rank = pd.Series(pairs.seed).groupby(pairs.seed).cumcount().to_numpy(np.int64)
    return Picks(*pairs, rank)


def _as_problem(seeds: Matrix | ArrayLike, pool: Matrix | ArrayLike, per_seed: int) -> tuple[np.ndarray, Matrix]:
    """Seeds and pool as matrices; a ValueError names the argument unless they and the picks a seed fit."""
    seeds = np.asarray(as_features(seeds, "seeds"))
    pool = as_features(pool, "pool", width=seeds.shape[1])
    if per_seed < 1:
        raise ValueError(f"per_seed: must be at least 1, got {per_seed}")
    return seeds, pool


class _Pairs(NamedTuple):
    """Pairs in ascending (distance, seed, image) order."""

    seed: np.ndarray
    image: np.ndarray
    distance: np.ndarray

    def take(self, which: np.ndarray) -> "_Pairs":
        return _Pairs(*(column[which] for column in self))


def _join(parts: list[_Columns]) -> _Columns:
    """Tuples of columns as one: the columns of the first, then those of the second, and so on."""
    columns = zip(*parts, strict=True)
    return type(parts[0])(*map(np.concatenate, columns))


def _certain_picks(
    seeds: np.ndarray, pool: Matrix, per_seed: int, lists: "_Lists", taken: Bool[np.ndarray, " n"]
) -> Iterator[_Pairs]:
    """Pick from the beginnings of the seeds' lists; a seed whose list ends too early gets a new one.

    The lists are used up, and what is picked is marked as taken.
    """
    wanted, length = np.full(len(seeds), per_seed, np.int64), FIRST_LIST * per_seed
    while True:
        certain, dry = _scan(lists, wanted, taken)
        yield certain
        np.subtract.at(wanted, certain.seed, 1)
        taken[certain.image] = True
        if not len(dry):
            return
        lists.drop(dry, wanted, taken)
        # Of sum(wanted) neighbours, the other seeds can take all but the ones that this seed wants.
        most = max(2 * per_seed, LISTED_PAIRS // len(dry))
        count = min(length, most, int(wanted.sum()))
        lists.extend(dry, nearest(seeds[dry], pool, count, exclude=taken, names=("seeds", "pool")), taken)
        length *= 4


class _Lists:
    """The beginning of every seed's list of neighbours."""

    def __init__(self, seeds: int) -> None:
        self.pairs = _Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
        self.complete = np.zeros(seeds, bool)  # of each seed: no other image can follow those in its list

    def extend(self, seeds: Int64[np.ndarray, " q"], found: Nearest, taken: Bool[np.ndarray, " n"]) -> None:
        """Give seeds that have no list their nearest images, of which some may be taken."""
        self.complete[seeds] = (~taken[found.row]).sum(axis=1) == (~taken).sum()
        new = _Pairs(np.repeat(seeds, found.row.shape[1]), found.row.ravel(), found.distance.ravel())
        pairs = _join([self.pairs, new])
        self.pairs = pairs.take(np.lexsort((pairs.image, pairs.seed, pairs.distance)))

    def drop(self, dry: np.ndarray, wanted: np.ndarray, taken: np.ndarray) -> None:
        """Forget what cannot be picked any more, and the lists of dry seeds, which will get new ones."""
        useful = wanted > 0
        useful[dry] = False
        self.pairs = self.pairs.take(useful[self.pairs.seed] & ~taken[self.pairs.image])


def _scan(lists: _Lists, wanted: np.ndarray, taken: np.ndarray) -> tuple[_Pairs, np.ndarray]:
    """Scan the listed pairs in order, for the certain picks and the seeds that ran dry.

    What follows the end of an unfinished seed's list is a guess, because its next neighbour is unknown. The
    guess is not used but for telling which other seeds will run dry, so that one pass serves them all.
    """
    pairs = lists.pairs
    left, gone = wanted.tolist(), set[int]()
    chosen: list[int] = []
    for start in range(0, len(pairs.seed), SCANNED_AT_A_TIME):
        window = slice(start, start + SCANNED_AT_A_TIME)
        hungry = np.asarray(left, np.int64) > 0
        open_pairs = start + np.flatnonzero(hungry[pairs.seed[window]] & ~taken[pairs.image[window]])
        of_window = (open_pairs.tolist(), pairs.seed[open_pairs].tolist(), pairs.image[open_pairs].tolist())
        for position, seed, image in zip(*of_window, strict=True):
            if left[seed] and image not in gone:
                left[seed] -= 1
                gone.add(image)
                chosen.append(position)
    dry = np.flatnonzero((np.asarray(left, np.int64) > 0) & ~lists.complete)
    positions = np.asarray(chosen, np.int64)
    if len(dry):
        ends = np.full(len(wanted), -1)
        np.maximum.at(ends, pairs.seed, np.arange(len(pairs.seed)))
        positions = positions[positions <= ends[dry].min()]
    return pairs.take(positions), dry


class _ClassSeeds(NamedTuple):
    """The seeds of one class, and how many neighbours of each are listed."""

    label: int
    seeds: np.ndarray
    neighbours: int


def pick_by_shard(
    seeds: Float[np.ndarray, "s _d"] | ArrayLike,
    seed_labels: Int64[np.ndarray, " s"] | ArrayLike,
    pool: Features,
    pool_labels: Int64[np.ndarray, " n"] | ArrayLike,
    per_seed: int,
    spool: Path,
    *,
    removed: Bool[np.ndarray, " _n"] | ArrayLike,
    taken: Bool[np.ndarray, " _n"] | ArrayLike,
    weak_labels: bool = True,
    normalise: bool = False,
) -> Picks:
    """Pick for every class on its own among the pool images that carry its weak label (section 3.5).

    What has been found in a shard stays in the spool, so a killed run goes on with the shards that are left, and
    a grown pool searches its new shards only. With very many seeds a class (as without weak labels) the lists
    that are kept are short; seeds for which they end too early search the pool again.

    Args:
        seeds: features of the failures.
        spool: folder of finished shards' neighbours; lies outside the outs.
        removed: pool images that the filters took out; where this changes, the shard is searched again.
        taken: pool images that were picked for another purpose. It may change without any search.
        weak_labels: if false, one search over the whole pool for all seeds (Appendix I).
        normalise: scale features to length 1 first, so that distance grows with the angle.

    Returns:
        Picks in rows of ``seeds`` and ``pool``: classes ascending, within a class in the order of picking.

    Raises:
        ValueError: as `debugset.dcd.picks.pick_neighbours`; or labels are no class indices.
    """
    seeds, _ = _as_problem(seeds, pool, per_seed)
    seed_labels = as_labels(seed_labels, "seed_labels", len(seeds), "seeds")
    pool_labels = as_labels(pool_labels, "pool_labels", len(pool), "pool images")
    removed = as_mask(removed, "removed", len(pool), "pool images")
    taken = as_mask(taken, "taken", len(pool), "pool images")
    if not weak_labels:
        seed_labels, pool_labels = np.zeros_like(seed_labels), np.zeros_like(pool_labels)
    if normalise:
        seeds = unit_rows(seeds)
    searched = np.where(removed, REMOVED, pool_labels)
    values = UnitRows(pool) if normalise else pool
    classes = _seeds_by_class(seed_labels, per_seed, int(taken.sum()))
    known_lists = _first_lists(seeds, classes, pool, searched, spool, normalise)
    picks = [Picks(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))]
    for of_class, known in zip(classes, known_lists, strict=True):
        exclude = taken | (searched != of_class.label)
        mine = pick_neighbours(seeds[of_class.seeds], values, per_seed, exclude=exclude, known=known)
        picks.append(mine._replace(seed=of_class.seeds[mine.seed]))
    return _join(picks)


def picks_frame(picks: Picks, seeds: pd.DataFrame, pool_ids: np.ndarray) -> pd.DataFrame:
    """Picks of failures (set, class, image_id) from a pool as a table, in the order of picking.

    Returns:
        class (the seed's), seed_set, seed_id, image_id, distance, rank.
    """
    mine = seeds.iloc[picks.seed]
    columns = {"class": mine["class"].to_numpy(np.int64), "seed_set": mine["set"].to_numpy(object)}
    columns |= {"seed_id": mine["image_id"].to_numpy(object), "image_id": pool_ids[picks.image]}
    return pd.DataFrame(columns | {"distance": picks.distance, "rank": picks.rank})


def unit_rows(features: Num[Matrix, "n d"]) -> Float[np.ndarray, "n d"]:
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


class UnitRows:
    """A matrix, perhaps larger than memory, of which every row is scaled to length 1 as it is read."""

    ndim = 2

    def __init__(self, values: Matrix) -> None:
        self._values = values
        self.shape = values.shape
        self.dtype = np.result_type(values.dtype, np.float32)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return unit_rows(self._values[rows])


def _seeds_by_class(seed_labels: np.ndarray, per_seed: int, taken: int) -> list[_ClassSeeds]:
    """The classes with seeds.

    A seed needs at most all that its class picks, and what was taken before: as a rule the same number a seed.
    """
    most = per_seed + math.ceil(taken / max(1, len(seed_labels)))
    classes = []
    for label in np.unique(seed_labels):
        rows = np.flatnonzero(seed_labels == label)
        count = most * len(rows)
        if count * len(rows) > KEPT_PAIRS:
            count = min(count, FIRST_LIST * most)
        classes.append(_ClassSeeds(int(label), rows, count))
    return classes


def _first_lists(
    seeds: np.ndarray, classes: list[_ClassSeeds], pool: Features, searched: np.ndarray, spool: Path, normalise: bool
) -> Iterator[Nearest]:
    """The nearest images of every class's seeds, put together from the shards."""
    key = [array_sha256(seeds), f"normalise {normalise}", f"numpy {np.__version__}"]
    key += [sha256(Path(file)) for file in (__file__, neighbours.__file__)]
    key += [f"{of_class.label} {of_class.neighbours} {array_sha256(of_class.seeds)}" for of_class in classes]
    lists: dict[int, list[Nearest]] = {of_class.label: [] for of_class in classes}
    with progress(total=len(pool), what="pick: searched", unit=" images") as bar:
        for part in pool.parts():
            labels = searched[part.rows]
            compute = partial(_search_part, seeds, classes, part, labels, normalise)
            kept = np.load(compute_once(spool, [*key, part.sha256, array_sha256(labels)], compute))
            for of_class, near in _unpack(kept, classes, labels):
                lists[of_class.label].append(near._replace(row=part.rows[near.row]))
            bar.update(len(part.rows))
    return (_merge(lists[of_class.label], of_class) for of_class in classes)


def _search_part(
    seeds: np.ndarray, classes: list[_ClassSeeds], part: Part, labels: np.ndarray, normalise: bool
) -> np.ndarray:
    """The nearest images of a shard for every seed, class after class, in a form that one file holds."""
    lists = [np.empty(0, _LISTED)]
    for of_class in classes:
        places = np.flatnonzero(labels == of_class.label)
        values = unit_rows(part.values[places]) if normalise else part.values[places]
        near = nearest(seeds[of_class.seeds], values, of_class.neighbours, names=("seeds", "pool"))
        listed = np.empty(near.row.size, _LISTED)
        listed["place"], listed["distance"] = places[near.row].ravel(), near.distance.ravel()
        lists.append(listed)
    return np.concatenate(lists)


def _unpack(
    listed: np.ndarray, classes: list[_ClassSeeds], labels: np.ndarray
) -> Iterator[tuple[_ClassSeeds, Nearest]]:
    """What `_search_part` gave of each class."""
    start = 0
    for of_class in classes:
        seeds, width = len(of_class.seeds), min(of_class.neighbours, int((labels == of_class.label).sum()))
        mine = listed[start : start + seeds * width].reshape(seeds, width)
        yield of_class, Nearest(mine["place"].astype(np.int64), mine["distance"].copy())
        start += mine.size


def _merge(parts: list[Nearest], of_class: _ClassSeeds) -> Nearest:
    """The nearest images of a class's seeds, from those of every shard."""
    seeds = len(of_class.seeds)
    row = np.concatenate([np.empty((seeds, 0), np.int64), *(part.row for part in parts)], axis=1)
    distance = np.concatenate([np.empty((seeds, 0)), *(part.distance for part in parts)], axis=1)
    order = np.lexsort((row, distance))[:, : of_class.neighbours]
    return Nearest(np.take_along_axis(row, order, 1), np.take_along_axis(distance, order, 1))
