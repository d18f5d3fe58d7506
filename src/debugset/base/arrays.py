"""Masks, labels and numbers that users pass to public functions: any type that leaves no doubt, else one clear error.

Lists, tuples, arrays, pandas' columns and frames of one column are read in their order; an index is not looked at.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int64

ArrayLike = np.ndarray | pd.Series | pd.DataFrame | Sequence[Any]  # what is read as an array
_LABELS = "pass indices into the class names"


def as_mask(values: ArrayLike, name: str, length: int, of: str = "images") -> Bool[np.ndarray, " n"]:
    """A mask of booleans, or of numbers that are all 1 or 0.

    Args:
        values: an array of booleans comes back without a copy.
        name: what errors call it.
        length: how many values it must have.
        of: what it is a mask of.

    Raises:
        ValueError: it has another length or more than one dimension, or a value is neither true nor false.
    """
    mend = f"pass booleans, or 1 and 0; np.isin(np.arange({length}), rows) makes them from row numbers"
    column = _column(values, as_array(values, name), name, length, of, mend)
    if column.dtype == bool:
        return column
    if column.dtype.kind not in "iuf":
        _refuse_others(column, _without_numbers(column), name, "True or False", mend)
    true = column == 1
    _refuse_others(column, true | (column == 0), name, "True or False", mend)
    return true


def as_labels(
    values: ArrayLike, name: str, length: int | None = None, of: str = "images", *, lowest: int = 0
) -> Int64[np.ndarray, " n"]:
    """Class indices: whole numbers of any type.

    Args:
        values: an array of int64 comes back without a copy.
        name: what errors call them.
        length: how many there must be; None takes any number.
        of: what they are labels of.
        lowest: the least index; -1 where images may show none of the classes.

    Raises:
        ValueError: they have another length or more than one dimension, or one is no whole number (booleans and names
            are none) or too low.
    """
    column = _column(values, as_array(values, name), name, length, of, _LABELS)
    return _whole_numbers(column, name, f"class indices from {lowest}", lowest, _LABELS)


def as_values(values: ArrayLike, name: str, length: int, of: str = "images") -> np.ndarray:
    """Values of any type, such as names, as an array of objects.

    Raises:
        ValueError: it has another length or more than one dimension, or a value is missing or masked.
    """
    mend = "name every value"
    column = _column(values, _array(values, name, object), name, length, of, mend)
    _refuse_others(column, ~pd.isna(column), name, "no missing value", mend)
    return column


def as_rows(values: ArrayLike, name: str, count: int) -> Int64[np.ndarray, " n"]:
    """Row numbers, all below ``count``.

    Raises:
        ValueError: there is more than one dimension, or a value is no whole number in range; those of a mask are none.
    """
    expected, mend = f"row numbers from 0 to {count - 1}", "np.flatnonzero(mask) gives those of a mask"
    rows = _whole_numbers(_column(values, as_array(values, name), name, None, "images", mend), name, expected, 0, mend)
    _refuse_others(rows, rows < count, name, expected, mend)
    return rows


def as_floats(values: ArrayLike, name: str) -> Float[np.ndarray, "..."]:
    """Numbers of any shape; an array of floats comes back without a copy, integers become float64.

    Raises:
        ValueError: they are of another type, or no array can be made of them.
    """
    array = as_array(values, name)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name}: expected an array of numbers, got {_describe(values, array)} of {array.dtype}")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def as_array(values: Any, name: str) -> np.ndarray:
    """Values as an array, of their common type where they came as objects, as a frame's columns often do.

    Raises:
        ValueError: rows differ in length, a masked array hides some of its values, or a tensor is of no use to numpy.
    """
    array = _array(values, name)
    return _array(array.tolist(), name) if array.dtype == object else array


def _array(values: Any, name: str, dtype: type | None = None) -> np.ndarray:
    """What numpy makes of values."""
    if np.ma.is_masked(values):
        raise ValueError(f"{name}: some of its values are masked; fill them or leave them out")
    try:
        return np.asarray(values, dtype)
    except (TypeError, ValueError, RuntimeError) as error:  # the last is torch's, of a tensor that takes gradients
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ValueError(f"{name}: is no array ({reason}); pass an array, or rows of equal length") from None


def _column(values: ArrayLike, array: np.ndarray, name: str, length: int | None, of: str, mend: str) -> np.ndarray:
    """An array made of values in one dimension, of the wished length; a frame of one column is one."""
    if isinstance(values, pd.DataFrame) and array.shape[1:] == (1,):
        array = array[:, 0]
    if array.ndim == 1 and length in (None, len(array)):
        return array if array.size else array.astype(np.float64)  # an empty column may be of any type
    wished = "one dimension" if length is None else f"one value for each of {length} {of}"
    raise ValueError(f"{name}: expected {wished}, got {_describe(values, array)}; {mend}")


def _whole_numbers(column: np.ndarray, name: str, expected: str, lowest: int, mend: str) -> Int64[np.ndarray, " n"]:
    """Whole numbers, at least the lowest, as int64."""
    if column.dtype.kind not in "iuf":
        _refuse_others(column, _without_numbers(column), name, expected, mend)
    with np.errstate(invalid="ignore"):  # NaN and what int64 cannot hold become other numbers
        whole = column.astype(np.int64, copy=False)
    _refuse_others(column, (whole == column) & (whole >= lowest), name, expected, mend)
    return whole


def _without_numbers(column: np.ndarray) -> Bool[np.ndarray, " n"]:
    """Which values of a column that holds more than numbers fit: none, or all but the missing ones where some are."""
    is_text = column.dtype.kind == "U"  # as numpy makes of numbers too, where there is a word among them
    missing = np.asarray(pd.isna(pd.to_numeric(column, errors="coerce") if is_text else column))
    return ~missing if missing.any() else missing


def _refuse_others(column: np.ndarray, fits: np.ndarray, name: str, expected: str, mend: str) -> None:
    """Raise a ValueError that names the first value that does not fit, if there is one."""
    if not fits.all():
        place = int(fits.argmin())
        raise ValueError(f"{name}: expected {expected}, but {name}[{place}] is {column.tolist()[place]!r}; {mend}")


def _describe(values: Any, array: np.ndarray) -> str:
    """What came, in words: its shape, or the type of what is no array."""
    return f"shape {array.shape}" if array.ndim else f"a {type(values).__name__}"
