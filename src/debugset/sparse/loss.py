"""The mean cross-entropy of a linear model on a design: its value, gradient and curvature, by blocks of rows.

Blocks are worked on by several threads; sums are taken in the order of the blocks, in float64, so the number of threads
changes no bit.
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
    logits: Float[torch.Tensor, "n k"] | None  # None where they are computed again by block


class Slope(NamedTuple):
    """The loss around a point."""

    loss: float
    gradient: Float64[np.ndarray, "w k"]
    largest: Float64[np.ndarray, " k"]  # of each class, an image's largest curvature p (1 - p), weighted
    rounding: float  # by how much two losses may differ that are equal


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
        self.design, self.pool, self.keep_logits = design, pool, keep_logits
        self.classes = int(labels.max()) + 1
        self._weights = design.on_device(weights)[:, None]
        self._labels = torch.from_numpy(labels).to(self._weights.device)[:, None]
        self._width = workers() if self._weights.device.type == "cpu" else 1  # a GPU is busy with one block

    def move(self, coefficients: Float64[np.ndarray, "w k"]) -> tuple[Point, float]:
        """The point of other coefficients, and its loss."""
        right = self.design.on_device(coefficients)
        kept = right.new_empty((self.design.n, self.classes)) if self.keep_logits else None

        def loss(block: int) -> float:
            rows = self.design.rows[block]
            logits = product(self.design[block], right)
            if kept is not None:
                kept[rows] = logits
            return self._sum_loss(torch.log_softmax(logits, 1), rows)

        total = sum(self._in_order(loss, len(self.design)))
        return Point(coefficients, kept), total / self.design.n

    def slope(self, point: Point) -> Slope:
        """Loss, gradient and largest curvatures at a point."""
        right = self.design.on_device(point.coefficients)

        def slope(block: int) -> tuple[float, float, torch.Tensor, torch.Tensor]:
            rows, matrix = self.design.rows[block], self.design[block]
            logs = torch.log_softmax(self._logits(point, right, block), 1)
            residuals, weights = logs.exp(), self._weights[rows]
            largest = (weights * residuals * (1 - residuals)).amax(0)
            residuals.scatter_add_(1, self._labels[rows], torch.full_like(weights, -1))
            size = -float(logs.mean()) * len(logs)
            return self._sum_loss(logs, rows), size, product(matrix.T, residuals.mul_(weights)), largest

        loss, size, gradient, largest = 0.0, 0.0, np.zeros_like(point.coefficients), np.zeros(self.classes)
        for block_loss, block_size, block_gradient, block_largest in self._in_order(slope, len(self.design)):
            loss += block_loss
            size += block_size
            gradient += block_gradient.cpu().numpy()
            largest = np.maximum(largest, block_largest.cpu().numpy())
        n = self.design.n
        rounding = 4 * torch.finfo(self.design.dtype).eps * size / n / np.sqrt(n)  # errors of images are independent
        return Slope(loss / n, gradient / n, largest, rounding)

    def grams(
        self, point: Point, largest: Float64[np.ndarray, " k"], columns: Sequence[Int64[np.ndarray, " _a"]]
    ) -> list[Float64[np.ndarray, "_a _a"]]:
        """Every class's second derivative by its own coefficients in some columns; of no columns an empty matrix."""
        right = self.design.on_device(point.coefficients)
        grams = [np.zeros((len(chosen), len(chosen))) for chosen in columns]
        wanted = [class_ for class_, chosen in enumerate(columns) if len(chosen)]
        for block, rows in enumerate(self.design.rows):
            matrix = self.design[block]
            shares = torch.softmax(self._logits(point, right, block), 1)
            curvatures = (self._weights[rows] * shares * (1 - shares)).T.contiguous()

            def add(class_: int, matrix: torch.Tensor = matrix, curvatures: torch.Tensor = curvatures) -> None:
                least = _LEAST_SHARE * largest[class_]
                grams[class_] += weighted_gram(matrix, curvatures[class_], least, columns[class_])

            self.each(add, wanted)
        return [gram / self.design.n for gram in grams]

    def each(self, work: Callable[[int], None], classes: Sequence[int]) -> None:
        """Work on every class alone, a few threads each on its share of them."""

        def work_on_share(first: int) -> None:
            for class_ in classes[first :: self._width]:
                work(class_)

        list(self.pool.map(work_on_share, range(self._width)))

    def _logits(self, point: Point, right: torch.Tensor, block: int) -> torch.Tensor:
        """A block's logits, kept or computed."""
        if point.logits is not None:
            return point.logits[self.design.rows[block]]
        return product(self.design[block], right)

    def _sum_loss(self, logs: torch.Tensor, rows: slice) -> float:
        """The weighted cross-entropy of some rows, summed."""
        return -float((self._weights[rows].double() * logs.gather(1, self._labels[rows]).double()).sum())

    def _in_order(self, work: Callable[[int], _Result], blocks: int) -> Iterator[_Result]:
        """Results of all blocks in their order, as many at a time as there are threads: a gradient is large."""
        for start in range(0, blocks, self._width):
            yield from self.pool.map(work, range(start, min(start + self._width, blocks)))
