"""A matrix that may be larger than memory, and the check that one is what a function expects."""

from typing import Any, Protocol, runtime_checkable

import numpy as np


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


def check_features(features: Matrix, name: str, *, width: int | None = None) -> None:
    """Raise a ValueError that names the array unless it is a matrix of ``width`` columns of numbers."""
    if features.ndim != 2 or features.shape[1] == 0 or features.dtype.kind not in "fiu":
        raise ValueError(
            f"{name}: expected a matrix of numbers (images x features), got shape {features.shape} of {features.dtype}"
        )
    if width is not None and features.shape[1] != width:
        raise ValueError(f"{name}: expected {width} features an image as its counterpart has, got {features.shape[1]}")
