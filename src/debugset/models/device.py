"""The device that models run on, one a process where several share a machine, and a forward pass's precision there."""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from debugset.models.params import Precision

_SECONDS_BETWEEN_TRIES = 1.0


@dataclass(frozen=True)
class TakenDevice:
    """A device that no other process has taken."""

    index: int  # its place among those that were asked for
    lock: FileLock  # keeps it as long as somebody refers to it


def device() -> torch.device:
    """The device of ``$DEBUGSET_DEVICE``, else a GPU where there is one, else the CPU.

    ``free`` is a GPU that no other process has taken by this word; it stays this process's own.

    Raises:
        ValueError: the environment names a device that this machine does not have.
    """
    wished = os.environ.get("DEBUGSET_DEVICE")
    if not wished:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if wished.startswith(("cuda", "free")) and not torch.cuda.is_available():
        raise ValueError(f"DEBUGSET_DEVICE={wished}: this machine has no usable CUDA device; unset it or say cpu")
    if wished == "free":
        return torch.device("cuda", _take_gpu().index)
    try:
        return torch.device(wished)
    except RuntimeError:
        raise ValueError(f"DEBUGSET_DEVICE={wished}: no such device; say cpu, cuda, cuda:1 or free") from None


def autocast(where: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """The context in which a forward pass runs at the precision that params ask for."""
    return torch.autocast(where.type, torch.bfloat16, enabled=precision == "bf16")


def take_device(devices: Sequence[str], folder: Path) -> TakenDevice:
    """Take a device that no other process holds; wait while there is none.

    The operating system frees the device when the process ends, killed or not. The names of the devices, at least one,
    are the same in every process, such as UUIDs; the folder holds a lock file for each.
    """
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o1777)  # other users' workers lock here too
    is_waiting = False
    while True:
        for index, name in enumerate(devices):
            lock = FileLock(folder / f"{name}.lock", mode=0o666)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            return TakenDevice(index, lock)
        if not is_waiting:
            print(f"waiting for a device: all {len(devices)} are taken, by locks in {folder}", file=sys.stderr)
            is_waiting = True
        time.sleep(_SECONDS_BETWEEN_TRIES)


@cache  # which also keeps the lock
def _take_gpu() -> TakenDevice:
    """A GPU, by locks that are the same for all users and on this machine's own disk, for they are about its GPUs."""
    names = []
    for gpu in range(torch.cuda.device_count()):  # numbered as CUDA_VISIBLE_DEVICES says, so each process its own way
        names.append(f"cuda-{torch.cuda.get_device_properties(gpu).uuid}")
    folder = os.environ.get("DEBUGSET_LOCKS") or Path(tempfile.gettempdir()) / "debugset-devices"
    return take_device(names, Path(folder))
