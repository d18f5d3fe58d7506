"""What belongs to the machine and changes no result: folders and numbers from the environment."""

import os
from pathlib import Path


def spool_folder() -> Path:
    """The folder for what may be fetched or computed again: ``$DEBUGSET_SPOOL``, else ``.spool``.

    An experiment in a temporary checkout (``dvc exp run --temp``) shares the spool when the variable is set.
    """
    return Path(os.environ.get("DEBUGSET_SPOOL") or ".spool")


def weights_folder() -> Path:
    """Where the user puts weight files: ``$DEBUGSET_WEIGHTS``, else ``weights``."""
    return Path(os.environ.get("DEBUGSET_WEIGHTS") or "weights")


def workers() -> int:
    """How many threads decode images: ``$DEBUGSET_WORKERS``, else the number of processors."""
    return _whole_number("DEBUGSET_WORKERS", os.cpu_count() or 1)


def connections() -> int:
    """How many calls or files are fetched at a time: ``$DEBUGSET_CONNECTIONS``, else 8."""
    return _whole_number("DEBUGSET_CONNECTIONS", 8)


def device_count() -> int:
    """How many devices train together: ``$DEBUGSET_DEVICES``, else one."""
    return _whole_number("DEBUGSET_DEVICES", 1)


def _whole_number(variable: str, default: int) -> int:
    value = os.environ.get(variable) or str(default)
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(f"{variable}: expected a whole number of at least 1 (got {value!r})")
    return int(value)
