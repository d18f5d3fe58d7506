"""Work done shard by shard and kept, so that a killed run resumes and a grown set costs its new shards only."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from debugset.base.files import replacing_file
from debugset.base.numerics import in_force


def compute_once(folder: Path, key: Iterable[str], compute: Callable[[], np.ndarray]) -> Path:
    """The file of a shard's array, computed unless the spool's folder, which lies outside the outs, holds it.

    The key is all that decides the array: content, parameters, code, versions of libraries; numerics are added here.
    """
    text = "\n".join([*key, in_force()])
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()}.npy"
    if not path.is_file():
        array = compute()
        with replacing_file(path) as temporary, temporary.open("wb") as file:
            np.save(file, array)
    return path


def array_sha256(array: np.ndarray) -> str:
    """The SHA-256 of an array's values, with their shape and type."""
    digest = hashlib.sha256(f"{array.shape} {array.dtype.str}".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
