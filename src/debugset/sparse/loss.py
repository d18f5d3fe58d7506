"""The mean cross-entropy of a linear model on a design: its value, gradient and curvature, by blocks of rows.

Blocks are worked on by several threads; sums are taken in the order of the blocks, in float64, so the number of threads
changes no bit. Logits lie with the images along their rows: a softmax of few classes is twenty times faster so.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from debugset.base.machine import workers
from debugset.sparse.design import Design
from debugset.sparse.products import product, weighted_gram

_LEAST_SHARE = 1e-3  # rows of less than this share of a class's largest curvature are left out of its Gram matrix
_Result = TypeVar("_Result")


class Point(NamedTuple):
    """A linear model of the design's columns."""

    coefficients: Float64[np.ndarray, "w k"]  # the intercepts last
    logits: Float[torch.Tensor, "k n"] | None  # None where they are computed again by block


class Slope(NamedTuple):
    """The loss around a point."""

    loss: float
    gradient: Float64[np.ndarray, "w k"]
    largest: Float64[np.ndarray, " k"]  # of each class, an image's largest curvature p (1 - p), weighted
    rounding: float  # by how much losses that are equal may differ


class _Softmax(NamedTuple):
    """A block's classes: shares p and cross-entropies."""

    shares: Float[torch.Tensor, "k b"]
    losses: Float[torch.Tensor, " b"]
    highest: Float[torch.Tensor, " b"]  # logit of an image


class _BlockSlope(NamedTuple):
    """What a block adds to the slope."""

    loss: float
    size: float  # sum of the images' highest logits
    gradient: Float[torch.Tensor, "k w"]
    largest: Float[torch.Tensor, " k"]


class Loss:
    """The mean over images of weight x cross-entropy."""

    def __init__(
        self,
        design: Design,
        labels: Int64[np.ndarray, " n"],
        weights: Float64[np.ndarray, " n"],
        pool: ThreadPoolExecutor,
        *,
        keep_logits: bool,
    ) -> None:
        self.design, self.classes = design, int(labels.max()) + 1
        self._pool, self._keep_logits = pool, keep_logits
        self._weights = design.on_device(weights)
        self._labels = torch.from_numpy(labels).to(self._weights.device)[None]
        self._width = workers() if self._weights.device.type == "cpu" else 1  # a GPU is busy with one block

    def move(self, coefficients: Float64[np.ndarray, "w k"]) -> tuple[Point, float]:
        """The point of other coefficients, and its loss."""
        right = self.design.on_device(coefficients)
        kept = right.new_empty((self.classes, self.design.n)) if self._keep_logits else None

        def loss_of(block: int) -> float:
            rows = self.design.rows[block]
            logits = self._forward(block, right)
            if kept is not None:
                kept[:, rows] = logits
            return self._sum(self._softmax(logits, rows).losses, rows)

        loss = sum(self._in_order(loss_of))
        return Point(coefficients, kept), loss / self.design.n

    def slope(self, point: Point) -> Slope:
        """Loss, gradient and largest curvatures at a point."""
        right = self.design.on_device(point.coefficients)

        def slope_of(block: int) -> _BlockSlope:
            rows = self.design.rows[block]
            shares, losses, highest = self._softmax(self._logits(point, right, block), rows)
            largest = self._curvatures(shares, rows).amax(1)
            labels = self._labels[:, rows]
            shares.scatter_add_(0, labels, torch.full_like(highest, -1)[None])
            gradient = product(shares.mul_(self._weights[rows]), self.design[block])
            return _BlockSlope(self._sum(losses, rows), float(highest.abs().sum()), gradient, largest)

        loss, size, n = 0.0, 0.0, self.design.n
        gradient, largest = np.zeros(point.coefficients.shape[::-1]), np.zeros(self.classes)
        for part in self._in_order(slope_of):
            loss += part.loss
            size += part.size
            gradient += part.gradient.cpu().numpy()
            largest = np.maximum(largest, part.largest.cpu().numpy())
        # an image's logits are rounded by a share of their size; of many images errors average out
        rounding = 8 * torch.finfo(self.design.dtype).eps * size / n / np.sqrt(n)
        return Slope(loss / n, np.ascontiguousarray(gradient.T) / n, largest, rounding)

    def grams(
        self, point: Point, largest: Float64[np.ndarray, " k"], columns: Sequence[Int64[np.ndarray, " _a"]]
    ) -> list[Float64[np.ndarray, "_a _a"]]:
        """Every class's second derivative by its own coefficients in some columns; of no columns an empty matrix."""
        right = self.design.on_device(point.coefficients)
        grams = [np.zeros((len(chosen), len(chosen))) for chosen in columns]
        wanted = [class_ for class_, chosen in enumerate(columns) if len(chosen)]
        for block, rows in enumerate(self.design.rows):
            matrix = self.design[block]
            curvatures = self._curvatures(self._softmax(self._logits(point, right, block), rows).shares, rows)

            def add(class_: int, matrix: torch.Tensor = matrix, curvatures: torch.Tensor = curvatures) -> None:
                least = _LEAST_SHARE * largest[class_]
                grams[class_] += weighted_gram(matrix, curvatures[class_], least, columns[class_])

            self.each(add, wanted)
        return [gram / self.design.n for gram in grams]

    def each(self, work: Callable[[int], None], classes: Sequence[int]) -> None:
        """Work on every class alone, each thread on its share of them."""

        def work_on_share(first: int) -> None:
            for class_ in classes[first :: self._width]:
                work(class_)

        list(self._pool.map(work_on_share, range(self._width)))

    def _logits(self, point: Point, right: torch.Tensor, block: int) -> Float[torch.Tensor, "k b"]:
        """A block's logits, kept or computed."""
        if point.logits is not None:
            return point.logits[:, self.design.rows[block]]
        return self._forward(block, right)

    def _forward(self, block: int, right: torch.Tensor) -> Float[torch.Tensor, "k b"]:
        """A block's logits, computed."""
        return product(self.design[block], right).T.contiguous()

    def _softmax(self, logits: Float[torch.Tensor, "k b"], rows: slice) -> _Softmax:
        """Of some rows' logits."""
        highest = logits.amax(0)
        shifted = logits - highest
        own = shifted.gather(0, self._labels[:, rows])[0]
        exponentials = shifted.exp_()
        total = exponentials.sum(0)
        return _Softmax(exponentials.div_(total), total.log() - own, highest)

    def _curvatures(self, shares: Float[torch.Tensor, "k b"], rows: slice) -> Float[torch.Tensor, "k b"]:
        """Second derivatives of the weighted cross-entropy by each logit alone."""
        return (shares - shares * shares).mul_(self._weights[rows])

    def _sum(self, losses: Float[torch.Tensor, " b"], rows: slice) -> float:
        """The weighted sum over images, in float64."""
        return float((losses.double() * self._weights[rows].double()).sum())

    def _in_order(self, work: Callable[[int], _Result]) -> Iterator[_Result]:
        """Results of all blocks in their order, as many at a time as there are threads: a gradient is large."""
        for start in range(0, len(self.design), self._width):
            yield from self._pool.map(work, range(start, min(start + self._width, len(self.design))))
