"""What belongs to the machine and changes no result: folders and numbers from the environment."""

import math
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
    """How many calls, or files of one host, are under way at a time: ``$DEBUGSET_CONNECTIONS``, else 8."""
    return _whole_number("DEBUGSET_CONNECTIONS", 8)


def calls_per_hour() -> int:
    """How many searches Flickr may see in any hour: ``$DEBUGSET_CALLS_PER_HOUR``, else 3,600, its limit for a key."""
    return _whole_number("DEBUGSET_CALLS_PER_HOUR", 3600)


def files_per_second() -> float:
    """How many files a second are fetched from each of Flickr's hosts: ``$DEBUGSET_FILES_PER_SECOND``, else 20."""
    value = os.environ.get("DEBUGSET_FILES_PER_SECOND") or "20"
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise ValueError(f"DEBUGSET_FILES_PER_SECOND: expected a positive number (got {value!r})")
    return number


def device_count() -> int:
    """How many devices train together: ``$DEBUGSET_DEVICES``, else one."""
    return _whole_number("DEBUGSET_DEVICES", 1)


def _whole_number(variable: str, default: int) -> int:
    value = os.environ.get(variable) or str(default)
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(f"{variable}: expected a whole number of at least 1 (got {value!r})")
    return int(value)
