"""Picking the pool images that are most similar to the failures (Data-Centric Debugging, Appendix E).

The smallest entry of the distance matrix is taken again and again; a picked image leaves the pool, and a seed
that has its share leaves too. That equals one scan of all pairs in ascending (distance, seed, image) order.
Only the beginning of each seed's list of neighbours is ever needed, so the pool is streamed and never held.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64, Int64
from pydantic import Field

from debugset.neighbours import Matrix, Nearest, check_features, nearest
from debugset.params import Section

FIRST_LIST = 4  # length of a seed's first list, in picks; a seed that runs dry gets one four times as long
LISTED_PAIRS = 2**23  # at most this many new pairs are listed at a time
SCANNED_AT_A_TIME = 2**16


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


Search = Callable[[np.ndarray, int, np.ndarray], Nearest]  # of these seeds, so many nearest images that aren't taken


class Picks(NamedTuple):
    """Picked images in the order of picking.

    Attributes:
        seed: rows of the seeds.
        image: rows of the pool.
        distance: squared L2 distances.
        rank: 0 for a seed's first pick.
    """

    seed: Int64[np.ndarray, " m"]
    image: Int64[np.ndarray, " m"]
    distance: Float64[np.ndarray, " m"]
    rank: Int64[np.ndarray, " m"]


def pick_neighbours(
    seeds: Float[np.ndarray, "s _d"],
    pool: Float[Matrix, "n _d"],
    per_seed: int,
    *,
    exclude: Bool[np.ndarray, " _n"] | None = None,
) -> Picks:
    """Pick up to ``per_seed`` pool images for every seed, no image twice (Appendix E, Algorithm 1).

    Args:
        seeds: features of the failures. None is fine: nothing is picked.
        pool: features of the pool, from the same embedder, read in blocks: an array, a `numpy.memmap`, or
            what `debugset.feature_files.open_features` gives.
        per_seed: picks a seed. A pool that is too small is shared out as far as it goes.
        exclude: pool images that must not be picked.

    Returns:
        The picks, in ascending (distance, seed, image) order.

    Raises:
        ValueError: shapes do not fit, ``per_seed`` is below 1, or a feature is not finite.
    """
    check_problem(seeds, pool, per_seed, {"exclude": exclude})
    taken = np.zeros(len(pool), bool) if exclude is None else exclude

    def search(dry: np.ndarray, count: int, taken: np.ndarray) -> Nearest:
        return nearest(seeds[dry], pool, count, exclude=taken, names=("seeds", "pool"))

    return pick_from_lists(Lists(len(seeds)), search, per_seed, taken)


def check_problem(seeds: np.ndarray, pool: Matrix, per_seed: int, masks: dict[str, np.ndarray | None]) -> None:
    """Raise a ValueError that names the argument, unless seeds, pool, picks a seed and masks of the pool fit."""
    check_features(seeds, "seeds")
    check_features(pool, "pool", width=seeds.shape[1])
    if per_seed < 1:
        raise ValueError(f"per_seed: must be at least 1, got {per_seed}")
    for name, mask in masks.items():
        if mask is not None and mask.shape != (len(pool),):
            raise ValueError(f"{name}: expected one value for each of {len(pool)} pool images, got shape {mask.shape}")


def all_picks(parts: list[Picks]) -> Picks:
    """The picks of several searches, one after the other."""
    nothing = _ranked(Lists(0).pairs)
    return Picks(*(np.concatenate(columns) for columns in zip(nothing, *parts, strict=True)))


class _Ordered(NamedTuple):
    """Pairs in ascending (distance, seed, image) order."""

    seed: np.ndarray
    image: np.ndarray
    distance: np.ndarray

    def take(self, which: np.ndarray) -> "_Ordered":
        return _Ordered(*(column[which] for column in self))


def _concatenated(parts: list[_Ordered]) -> _Ordered:
    return _Ordered(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _ranked(pairs: _Ordered) -> Picks:
    """Add each pick's rank within its seed."""
    rank = pd.Series(pairs.seed).groupby(pairs.seed).cumcount().to_numpy(np.int64)
    return Picks(pairs.seed, pairs.image, pairs.distance, rank)


def pick_from_lists(lists: "Lists", search: Search, per_seed: int, taken: Bool[np.ndarray, " n"]) -> Picks:
    """Pick from the beginnings of the seeds' lists of neighbours; a seed whose list ends too early gets a new one.

    Args:
        lists: of all seeds, some or all perhaps empty; they are used up.
        search: finds the nearest images of seeds.
        per_seed: picks a seed.
        taken: pool images that must not be picked.
    """
    wanted = np.full(len(lists.complete), per_seed, np.int64)
    taken, picked, length = taken.copy(), [], FIRST_LIST * per_seed
    while True:
        certain, dry = _scan(lists, wanted, taken)
        picked.append(certain)
        np.subtract.at(wanted, certain.seed, 1)
        taken[certain.image] = True
        if not len(dry):
            return _ranked(_concatenated(picked))
        lists.drop(dry, wanted, taken)
        # Of sum(wanted) neighbours, the other seeds can take all but the ones that this seed wants.
        most = max(2 * per_seed, LISTED_PAIRS // len(dry))
        found = search(dry, min(length, most, int(wanted.sum())), taken)
        lists.extend(dry, found, images=len(taken) - int(taken.sum()))
        length *= 4


class Lists:
    """The beginning of every seed's list of neighbours.

    Attributes:
        pairs: the lists of all seeds.
        complete: whether a seed's list holds all images that it may have, so that no other can follow.
    """

    def __init__(self, seeds: int) -> None:
        self.pairs = _Ordered(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
        self.complete = np.zeros(seeds, bool)

    def extend(self, seeds: Int64[np.ndarray, " q"], found: Nearest, *, images: int) -> None:
        """Give seeds that have no list their nearest of so many images."""
        width = found.row.shape[1]
        self.complete[seeds] = width == images
        new = _Ordered(np.repeat(seeds, width), found.row.ravel(), found.distance.ravel())
        pairs = _concatenated([self.pairs, new])
        self.pairs = pairs.take(np.lexsort((pairs.image, pairs.seed, pairs.distance)))

    def drop(self, dry: np.ndarray, wanted: np.ndarray, taken: np.ndarray) -> None:
        """Forget what cannot be picked any more, and the lists of dry seeds, which will get new ones."""
        useful = wanted > 0
        useful[dry] = False
        self.pairs = self.pairs.take(useful[self.pairs.seed] & ~taken[self.pairs.image])


def _scan(lists: Lists, wanted: np.ndarray, taken: np.ndarray) -> tuple[_Ordered, np.ndarray]:
    """Scan the listed pairs in order.

    What follows the end of an unfinished seed's list is a guess, because its next neighbour is unknown. The
    guess is not used but for telling which other seeds will run dry, so that one pass serves them all.

    Returns:
        The certain picks and the seeds that ran dry.
    """
    pairs = lists.pairs
    left, gone = wanted.tolist(), set[int]()
    chosen: list[int] = []
    for start in range(0, len(pairs.seed), SCANNED_AT_A_TIME):
        window = slice(start, start + SCANNED_AT_A_TIME)
        hungry = np.asarray(left, np.int64) > 0
        open_pairs = start + np.flatnonzero(hungry[pairs.seed[window]] & ~taken[pairs.image[window]])
        walk = zip(
            open_pairs.tolist(),
            pairs.seed[open_pairs].tolist(),
            pairs.image[open_pairs].tolist(),
            strict=True,
        )
        for position, seed, image in walk:
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
