"""Modules of compiled loops, imported when they are needed: numba takes half a second."""

from importlib import import_module
from types import ModuleType


def load_kernels(module: str) -> ModuleType:
    """A module of numba's functions by its full name; an OSError says how to mend it if numba can write nowhere."""
    try:
        return import_module(module)
    except RuntimeError as error:  # numba finds no folder that can be written
        raise OSError(f"NUMBA_CACHE_DIR: set it to a folder that you may write; numba says: {error}") from None
