"""Exact nearest neighbours by squared L2 distance, streamed over blocks of the searched rows.

A matrix product in float32 bounds every distance from below and above. Pairs whose lower bound beats the
nearest found so far are kept, and their distances summed in float64 as differences. So the result is that
of the naive double loop, ties included, at the price of the product. Memory holds a block and a shortlist.

The bounds. For a query s and a row x of d values let N be the sum of their squared norms, u the unit
roundoff, and g = (d+16)u / (1-(d+16)u) the usual bound on a sum of d rounded products in any order (Higham,
Accuracy and Stability of Numerical Algorithms, section 3.1). The product errs by at most 2g|s||x| <= gN, the
norms by gN; rounding the stored values to float32 costs at most gN, the float64 sum itself 2gN, and the last
subtraction 2uN. Their sum is below 6gN; a multiple of the smallest normal number covers underflow.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, Num

from debugset.base.arrays import ArrayLike, as_mask
from debugset.features.matrix import Matrix, as_features

PAIRS_IN_A_BLOCK = 2**21  # bounds computed at a time: 8 MB of float32 stays in the processor's cache
_QUERIES_IN_A_BLOCK = 4096
_ROWS_IN_A_BLOCK = (512, 8192)  # fewer make slow products, more would hold too many features in memory
_SAMPLED_PAIRS = 2**26  # bounds computed for the first guess, at most
VALUES_AT_A_TIME = 2**20  # in float64, when distances are summed


class Nearest(NamedTuple):
    """The nearest rows of every query, in ascending (distance, row) order."""

    row: Int64[np.ndarray, "q k"]  # of the searched array
    distance: Float64[np.ndarray, "q k"]  # squared L2


def nearest(
    queries: Float[Matrix, "q _d"] | ArrayLike,
    base: Float[Matrix, "n _d"] | ArrayLike,
    count: int,
    *,
    exclude: Bool[np.ndarray, " _n"] | ArrayLike | None = None,
    names: tuple[str, str] = ("queries", "base"),
) -> Nearest:
    """Find the ``count`` nearest rows of ``base`` for every query; equal distances go to the lower index.

    Args:
        base: features to search in; what is memory-mapped is read once for every 4,096 queries.
        count: where fewer rows are available, all of them come back.
        exclude: rows of ``base`` that are not available.
        names: what errors call the two arrays.

    Raises:
        ValueError: shapes do not fit, ``count`` is below 1, a value is not finite, or ``exclude`` is no mask.
    """
    queries = as_features(queries, names[0])
    base = as_features(base, names[1], width=queries.shape[1])
    if count < 1:
        raise ValueError(f"count: must be at least 1, got {count}")
    available = np.arange(len(base))
    if exclude is not None:
        available = np.flatnonzero(~as_mask(exclude, "exclude", len(base), f"rows of {names[1]}"))
    width = min(count, len(available))
    result = Nearest(np.empty((len(queries), width), np.int64), np.empty((len(queries), width), np.float64))
    if width == 0:
        return result
    for start in range(0, len(queries), _QUERIES_IN_A_BLOCK):
        block = slice(start, start + _QUERIES_IN_A_BLOCK)
        result.row[block], result.distance[block] = _search(queries[block], base, available, width, names)
    return result


def _pair_distances(
    left: Num[np.ndarray, "a _d"],
    left_rows: Int64[np.ndarray, " pairs"],
    right: Num[Matrix, "b _d"],
    right_rows: Int64[np.ndarray, " pairs"],
) -> Float64[np.ndarray, " pairs"]:
    """Squared L2 distances of pairs of rows, summed in float64 over the stored values' differences."""
    distances = np.empty(len(left_rows), np.float64)
    step = max(1, VALUES_AT_A_TIME // left.shape[1])
    order = np.argsort(right_rows, kind="stable")  # neighbouring rows of a memmap come from one page
    for start in range(0, len(order), step):
        pairs = order[start : start + step]
        difference = left[left_rows[pairs]].astype(np.float64)
        difference -= right[right_rows[pairs]]
        np.square(difference, out=difference)
        distances[pairs] = difference.sum(axis=1)
    return distances


def _search(queries: np.ndarray, base: Matrix, rows: np.ndarray, width: int, names: tuple[str, str]) -> Nearest:
    """The nearest of the rows for a block of queries, found in float32; where values leave its range, in float64."""
    for precision in (np.float32, np.float64):
        try:
            return _search_in(precision, queries, base, rows, width, names)
        except OverflowError:
            continue
    raise ValueError(f"{names[0]}, {names[1]}: values are too large to square; scale the features down")


def _search_in(
    precision: Any, queries: np.ndarray, base: Matrix, rows: np.ndarray, width: int, names: tuple[str, str]
) -> Nearest:
    """`_search` in one precision; an OverflowError where values leave its range."""
    fewest, most = _ROWS_IN_A_BLOCK
    size = max(fewest, min(most, PAIRS_IN_A_BLOCK // len(queries)))
    shortlist = _Shortlist(queries, base, width, precision, names)
    guess = shortlist.guess_reach(rows)
    for start in range(0, len(rows), size):
        shortlist.add(rows[start : start + size])
    result, unsure = shortlist.finish(guess)
    if len(unsure):  # their guess was too small: search once more without one
        again = _Shortlist(queries[unsure], base, width, precision, names)
        for start in range(0, len(rows), most):
            again.add(rows[start : start + most])
        result.row[unsure], result.distance[unsure] = again.finish()[0]
    return result


class _Pairs(NamedTuple):
    """Pairs of a query and a row with bounds on their distance, which are equal once it has been summed."""

    query: np.ndarray
    row: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def take(self, which: np.ndarray) -> "_Pairs":
        """Some of the pairs, by a mask or places."""
        return _Pairs(self.query[which], self.row[which], self.lower[which], self.upper[which])


def _concatenate(many: list[_Pairs]) -> _Pairs:
    return _Pairs(*map(np.concatenate, zip(*many, strict=True)))


class _Shortlist:
    """The pairs seen so far that may be among the nearest ``width`` of their query."""

    def __init__(self, queries: np.ndarray, base: Matrix, width: int, precision: Any, names: tuple[str, str]) -> None:
        self.queries, self.base, self.width, self.precision, self.names = queries, base, width, precision, names
        terms = (queries.shape[1] + 16) * float(np.finfo(precision).eps) / 2  # (d+16)u
        self.error = 6 * terms / (1 - terms)  # 6g: a bound is off by at most this share of N
        self.tiny = 8 * queries.shape[1] * float(np.finfo(precision).tiny)  # and by this, where products underflow
        matrix, norms = self._measured(queries, names[0])
        self.doubled = -2 * matrix
        self.norms = norms.astype(np.float64)
        self.offset = (1 - self.error) * self.norms - self.tiny  # lower bound = score + offset
        self.reach = np.full(len(queries), np.inf)  # a pair beyond its query's reach is not among the nearest
        self.pending: list[_Pairs] = []
        self.n_pending = 0
        self.limit = max(4 * len(queries) * width, 2**20)  # pending pairs: trimming seldom is cheaper

    def add(self, rows: np.ndarray) -> None:
        """Take in a block of rows."""
        score, norms = self._scores(rows)
        if len(rows) >= self.width and np.isinf(self.reach).all():
            kth = np.partition(score, self.width - 1, axis=0)[self.width - 1]
            self._reach_from(kth, float(norms.max()))  # else the first block would enter whole
        edge = (self.reach - self.offset).astype(self.precision)
        within = np.flatnonzero(score <= np.nextafter(edge, self.precision(np.inf)))  # the edge may be rounded down
        place, query = np.divmod(within, len(self.queries))
        lower = score.ravel()[within] + self.offset[query]
        upper = lower + 2 * (self.error * (self.norms[query] + norms[place]) + self.tiny)
        self.pending.append(_Pairs(query, rows[place], lower, upper))
        self.n_pending += len(query)
        if self.n_pending > self.limit:
            self._trim()

    def guess_reach(self, rows: np.ndarray) -> np.ndarray:
        """Guess every query's reach from an even sample of rows, so that few pairs enter; `finish` tells what failed.

        The guess is infinity where the sample would be too small to be of use.
        """
        size = min(10 * len(rows) // self.width, _SAMPLED_PAIRS // len(self.queries))
        rank = 5 * self.width * size // (2 * len(rows))  # the guess holds about 2.5 times what is needed
        if 12 <= rank < size <= len(rows) // 4:  # a lower rank varies too much; a larger sample costs too much
            score, norms = self._scores(rows[:: len(rows) // size])
            score.partition(rank, axis=0)
            self._reach_from(score[rank], float(norms.max()))
        return self.reach.copy()

    def finish(self, guess: np.ndarray | float = np.inf) -> tuple[Nearest, np.ndarray]:
        """The nearest rows by summed distances, and the queries whose guess was too small for them to be certain."""
        self._trim()
        pairs = self._summed(self.pending[0])
        shape = (len(self.queries), self.width)
        result = Nearest(np.zeros(shape, np.int64), np.full(shape, np.inf))
        rank = _ranks(pairs.query, len(self.queries))
        result.row[pairs.query, rank], result.distance[pairs.query, rank] = pairs.row, pairs.lower
        certain = result.distance[:, -1] <= np.where(np.isinf(guess), np.finfo(np.float64).max, guess)
        return result, np.flatnonzero(~certain)

    def _scores(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower bounds less their offset, for all queries and the rows, and the rows' squared norms."""
        contiguous = rows[-1] - rows[0] + 1 == len(rows)
        values = self.base[rows[0] : rows[-1] + 1] if contiguous else self.base[rows]
        matrix, norms = self._measured(values, self.names[1])
        score = matrix @ self.doubled.T  # rows x queries: the faster way round for few queries
        score += (norms * self.precision(1 - self.error))[:, None]
        return score, norms

    def _measured(self, values: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The values in the working precision and their squared norms."""
        with np.errstate(over="ignore", invalid="ignore"):
            matrix = np.asarray(values, self.precision)
            norms = np.einsum("ij,ij->i", matrix, matrix)
        if not (norms < np.finfo(self.precision).max / 16).all():  # sums of a few norms must not overflow either
            if not np.isfinite(values).all():
                raise ValueError(f"{name}: contains NaN or infinite values; embed these images again")
            raise OverflowError
        return matrix, norms

    def _reach_from(self, score: np.ndarray, largest_norm: float) -> None:
        """Set each query's reach to the upper bound that belongs to a score."""
        self.reach = score + self.offset + 2 * (self.error * (self.norms + largest_norm) + self.tiny)

    def _trim(self) -> None:
        """Shorten every query's list by the bounds; where many pairs tie within them, by summed distances."""
        pairs = _concatenate(self.pending)
        pairs = pairs.take(np.lexsort((pairs.upper, pairs.query)))
        counts = np.bincount(pairs.query, minlength=len(self.queries))
        full = np.flatnonzero(counts >= self.width)
        last = (np.cumsum(counts) - counts)[full] + self.width - 1  # the place of each one's width-th upper bound
        self.reach[full] = np.minimum(self.reach[full], pairs.upper[last])
        pairs = pairs.take(pairs.lower <= self.reach[pairs.query])
        crowded = np.bincount(pairs.query, minlength=len(self.queries)) > 4 * self.width
        if crowded.any():
            inside = crowded[pairs.query]
            summed = self._summed(pairs.take(inside))
            last = np.arange(self.width - 1, len(summed.query), self.width)
            self.reach[summed.query[last]] = summed.lower[last]
            pairs = _concatenate([pairs.take(~inside), summed])
        self.pending, self.n_pending = [pairs], len(pairs.query)

    def _summed(self, pairs: _Pairs) -> _Pairs:
        """Sum the distances that are only bounded so far; keep the nearest of every query that occurs."""
        distance = pairs.lower.copy()
        open_pairs = np.flatnonzero(pairs.lower < pairs.upper)
        distance[open_pairs] = _pair_distances(self.queries, pairs.query[open_pairs], self.base, pairs.row[open_pairs])
        pairs = pairs._replace(lower=distance, upper=distance)
        pairs = pairs.take(np.lexsort((pairs.row, pairs.lower, pairs.query)))
        return pairs.take(_ranks(pairs.query, len(self.queries)) < self.width)


def _ranks(query: np.ndarray, queries: int) -> np.ndarray:
    """The place of each pair within its query; pairs are sorted by query."""
    counts = np.bincount(query, minlength=queries)
    return np.arange(len(query)) - (np.cumsum(counts) - counts)[query]
