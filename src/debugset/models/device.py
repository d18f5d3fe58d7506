"""The machine's side of running models: device, precision, threads. None of it decides a result's identity."""

import os
from contextlib import AbstractContextManager
from functools import cache

import torch

from debugset.models.free_device import lock_folder, take
from debugset.models.params import Precision


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
        return torch.device("cuda", _free_gpu())
    try:
        return torch.device(wished)
    except RuntimeError:
        raise ValueError(f"DEBUGSET_DEVICE={wished}: no such device; say cpu, cuda, cuda:1 or free") from None


@cache
def _free_gpu() -> int:
    gpus = range(torch.cuda.device_count())  # numbered as CUDA_VISIBLE_DEVICES says, so each process its own way
    return take([f"cuda-{torch.cuda.get_device_properties(gpu).uuid}" for gpu in gpus], lock_folder())


def autocast(where: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """The context in which a forward pass runs at the precision that params ask for."""
    return torch.autocast(where.type, torch.bfloat16, enabled=precision == "bf16")
