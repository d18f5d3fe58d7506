"""A matrix that may be larger than memory, and what a function that expects one makes of its input."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from jaxtyping import Int64

from debugset.base.arrays import ArrayLike, as_array


@runtime_checkable
class Matrix(Protocol):
    """A matrix that may be larger than memory: a numpy array, or what is indexed like one by slices and row numbers."""

    @property
    def ndim(self) -> int:
        """Two."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""

    @property
    def dtype(self) -> np.dtype:
        """Type of a value."""

    def __len__(self) -> int: ...
    def __getitem__(self, rows: Any, /) -> Any: ...


class RowsOf:
    """Some rows of a matrix as a matrix, which are read when they are indexed."""

    ndim = 2

    def __init__(self, matrix: Matrix, rows: Int64[np.ndarray, " n"]) -> None:
        self._matrix, self._rows = matrix, rows
        self.shape, self.dtype = (len(rows), matrix.shape[1]), matrix.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any, /) -> np.ndarray:
        return self._matrix[self._rows[index]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self[:], dtype, copy=copy)


def as_features(features: Matrix | ArrayLike, name: str, *, width: int | None = None) -> Matrix:
    """Features as a matrix; what is larger than memory and what is an array of numbers comes back as it is.

    Args:
        features: images x features; lists and frames are read into memory.
        name: what errors call them.
        width: how many features an image must have.

    Raises:
        ValueError: it is no matrix of numbers, or of another width.
    """
    if hasattr(features, "toarray"):
        raise ValueError(f"{name}: is a sparse matrix; pass {name}.toarray()")
    matrix: Matrix
    is_in_memory = isinstance(features, (np.ndarray, pd.Series, pd.DataFrame))
    if isinstance(features, Matrix) and not is_in_memory and isinstance(features.dtype, np.dtype):  # torch has its own
        matrix = features
    else:
        matrix = as_array(features, name)
    if matrix.ndim != 2 or matrix.shape[1] == 0 or matrix.dtype.kind not in "fiu":
        raise ValueError(
            f"{name}: expected a matrix of numbers (images x features), got shape {matrix.shape} of {matrix.dtype}"
        )
    if width is not None and matrix.shape[1] != width:
        raise ValueError(f"{name}: expected {width} features an image as its counterpart has, got {matrix.shape[1]}")
    return matrix
