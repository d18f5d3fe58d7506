"""Weights files that other programs wrote: read without running what is in them, and the network found inside.

A checkpoint is looked at flat, each tensor under its path, as ``state_dict.module.conv1.weight``. What comes before the
network's own names is its prefix, whoever wrapped it: data parallelism, torch.compile, Lightning, a library.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor

from debugset.models.classifier import build
from debugset.models.registry import Architecture, decision_layers

_WEB_PAGE = (b"<!doctype", b"<html", b"<head", b"<?xml")
_LFS_POINTER = b"version https://git-lfs"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What torch says of a class that it will not make, or of a module that it would not even call if told to.
_FORBIDDEN = re.compile(r"GLOBAL (\S+) (?:was not an allowed global|whose module)")
_NEWER_PICKLE = "Unsupported operand 149"  # with this word begins what `torch.save(..., pickle_protocol=4)` writes
_COUNTERS = ("total_ops", "total_params")  # what profilers leave in every layer
_OLD_FILES_LACK = "num_batches_tracked"  # torch itself fills it in
_SHOWN_KEYS = 3


class Network(NamedTuple):
    """The weights of a network that a checkpoint holds.

    Attributes:
        weights: by the network's own names.
        outputs: of its decision layer; 0 without one.
        remark: which of several copies these are, for people; '' if there is one.
    """

    weights: dict[str, Tensor]
    outputs: int
    remark: str


def read_checkpoint(path: Path) -> Any:
    """What a file of safetensors or of ``torch.save`` holds, by its content, whatever its name ends in.

    Raises:
        ValueError: it is something else, is cut off, or holds more than tensors and plain values.
    """
    try:
        with path.open("rb") as file:  # given a path, torch would go by its ending
            if file.read(9)[8:] == b"{":  # safetensors: a length, then JSON
                return load_file(path)
            file.seek(0)
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # both libraries raise many kinds
        if what := _to_be_trusted(str(error)):
            mend = "convert it to safetensors where you trust it, see docs/imagenet.md"
            raise ValueError(f"{path}: {what}; {mend}") from None
        if "TorchScript" in str(error):
            raise ValueError(f"{path}: is a TorchScript program; save its `state_dict()` by torch.save") from None
        raise ValueError(
            f"{path}: is cut off, damaged, or no weights file of PyTorch or safetensors; fetch it again"
        ) from error


def _to_be_trusted(said: str) -> str:
    """What torch, by its words, does not read from a file without running what is in it; '' if that is not why."""
    if forbidden := _FORBIDDEN.search(said):
        return f"holds more than tensors ({forbidden[1]})"
    return "is pickled by protocol 4 or newer, which PyTorch reads unsafely only" if _NEWER_PICKLE in said else ""


def refuse_other_files(path: Path) -> None:
    """Name what is often found in the place of a download."""
    with path.open("rb") as file:
        start = file.read(512).removeprefix(_BYTE_ORDER_MARK).lstrip().lower()
    if not path.stat().st_size:
        raise ValueError(f"{path}: is empty; fetch it again")
    if start.startswith(_WEB_PAGE):
        raise ValueError(f"{path}: is a web page, not weights; fetch the file that the page leads to")
    if start.startswith(_LFS_POINTER):
        raise ValueError(f"{path}: is a pointer of Git LFS, not weights; run `git lfs pull` where it is from")


def find_network(checkpoint: Any, architecture: Architecture) -> Network:
    """The network of that architecture in a checkpoint, whatever it is wrapped in.

    Of plain and averaged weights (EMA) the plain ones are taken, and the remark says so.

    Raises:
        ValueError: the checkpoint holds no such network, or several; the text names the checkpoint's own keys.
    """
    if not isinstance(checkpoint, Mapping):
        raise ValueError(f"holds a {type(checkpoint).__name__}, not tensors by name; save a `state_dict()`")
    tensors = dict(_flat(checkpoint, ""))
    if not tensors:
        raise ValueError(f"holds no tensors (entries: {_some(checkpoint) or 'none'}); save a `state_dict()`")
    required = [name for name in _names(architecture, 0) if not name.endswith(_OLD_FILES_LACK)]
    copies = _prefixes(tensors, required, architecture)
    prefix, remark = _choose(copies)
    others = tuple(copy for copy in copies if copy != prefix and copy.startswith(prefix))
    weights = {}
    for key, tensor in tensors.items():
        if key.startswith(prefix) and not key.startswith(others) and not key.endswith(_COUNTERS):
            weights[key.removeprefix(prefix)] = tensor
    heads = [weights[f"{layer}.weight"] for layer in decision_layers(architecture) if f"{layer}.weight" in weights]
    outputs = heads[0].shape[0] if heads and heads[0].ndim else 0
    _check_fit(weights, _names(architecture, outputs), prefix, architecture)
    return Network(weights, outputs, remark)


def _flat(content: Mapping[Any, Any], path: str) -> Iterator[tuple[str, Tensor]]:
    """Every tensor in nested mappings, under its path."""
    for key, value in content.items():
        if isinstance(value, Tensor):
            yield f"{path}{key}", value
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{path}{key}.")


def _names(architecture: Architecture, outputs: int) -> dict[str, Tensor]:
    """The names and shapes of an architecture's tensors, which take no memory."""
    with torch.device("meta"):
        return build(architecture, outputs).backbone.state_dict()


def _prefixes(tensors: Collection[str], required: Sequence[str], architecture: Architecture) -> list[str]:
    """What stands before the names of each copy of the network; a ValueError if there is none."""
    first = required[0]
    prefixes = [key.removesuffix(first) for key in tensors if key == first or key.endswith(f".{first}")]

    def lacking(prefix: str) -> list[str]:
        """The names that are not there behind a prefix."""
        return [name for name in required if prefix + name not in tensors]

    whole = [prefix for prefix in prefixes if not lacking(prefix)]
    if not whole:
        nearest = min(prefixes, key=lambda prefix: len(lacking(prefix)), default="")
        lacks, has = _some(lacking(nearest)), _some(tensors)
        raise ValueError(f"does not fit {architecture.timm_name}: lacks {lacks}; it has {has}")
    return whole


def _choose(copies: Sequence[str]) -> tuple[str, str]:
    """The prefix of the copy to take, and the remark; a ValueError where that is for a person to say."""
    averaged = [prefix for prefix in copies if "ema" in re.split(r"[._]", prefix)]
    plain = [prefix for prefix in copies if prefix not in averaged and "attacker" not in prefix]  # robustness's twin
    chosen = plain or averaged
    if len(chosen) != 1:
        raise ValueError(f"holds the network several times, under {_some(copies)}; save one of them by itself")
    if not plain:
        return chosen[0], f"averaged weights (EMA), under {_some(averaged)}; there are no others"
    remark = f"plain weights; averaged ones (EMA) are there too, under {_some(averaged)}" if averaged else ""
    return chosen[0], remark


def _check_fit(weights: Mapping[str, Tensor], wished: Mapping[str, Tensor], prefix: str, to: Architecture) -> None:
    """Raise a ValueError, by the checkpoint's own keys, unless names and shapes are the architecture's."""
    foreign = [prefix + name for name in weights if name not in wished]
    if foreign:
        raise ValueError(f"does not fit {to.timm_name}, which has no {_some(foreign)}")
    for name, place in wished.items():
        if name not in weights and not name.endswith(_OLD_FILES_LACK):
            raise ValueError(f"does not fit {to.timm_name}: lacks {_some([prefix + name])}")
        if name in weights and weights[name].shape != place.shape:
            shapes = f"{list(weights[name].shape)}, not {list(place.shape)}"
            raise ValueError(f"does not fit {to.timm_name}: {_some([prefix + name])} has shape {shapes}")


def _some(keys: Collection[Any]) -> str:
    """The first keys as text, and how many more there are."""
    shown = ", ".join(f"`{key}`" if key else "no prefix" for key in list(keys)[:_SHOWN_KEYS])
    return f"{shown} and {len(keys) - _SHOWN_KEYS} more" if len(keys) > _SHOWN_KEYS else shown
