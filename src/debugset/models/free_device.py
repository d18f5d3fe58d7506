"""One device a process: workers that run at the same time on one machine each take a device of their own."""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

SECONDS_BETWEEN_TRIES = 1.0
_HELD: list[FileLock] = []  # a lock that nobody refers to would be released


def lock_folder() -> Path:
    """Where the devices' locks lie, the same for all users: ``$DEBUGSET_LOCKS``, else in the system's temporary folder.

    It must be on this machine's own disk, for a lock is about this machine's devices.
    """
    return Path(os.environ.get("DEBUGSET_LOCKS") or Path(tempfile.gettempdir()) / "debugset-devices")


def take(devices: Sequence[str], folder: Path) -> int:
    """Take a device that no other process holds, for as long as this process lives; wait while there is none.

    The operating system frees the device when the process ends, killed or not.

    Args:
        devices: names that are the same in every process, such as UUIDs; at least one.
        folder: holds a lock file a device.

    Returns:
        The index of the device.
    """
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o1777)  # other users' workers lock here too
    told = False
    while True:
        for index, name in enumerate(devices):
            lock = FileLock(folder / f"{name}.lock", mode=0o666)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            _HELD.append(lock)
            return index
        if not told:
            print(f"waiting for a device: all {len(devices)} are taken, by locks in {folder}", file=sys.stderr)
            told = True
        time.sleep(SECONDS_BETWEEN_TRIES)
