"""Importing modules of compiled loops where they are needed: numba takes half a second, and a folder to write to."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading_kernels() -> Iterator[None]:
    """Around such an import: an OSError says how to mend it if numba can write nowhere."""
    try:
        yield
    except RuntimeError as error:  # numba finds no folder that can be written
        raise OSError(f"NUMBA_CACHE_DIR: set it to a folder that you may write; numba says: {error}") from None
