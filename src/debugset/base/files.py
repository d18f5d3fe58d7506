"""Writing files so that nobody ever sees half of one: write under a temporary name, then rename."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MEND = "restore it by `dvc checkout`, or `dvc pull` in a clone, or run the stage that writes it"
_FULL_DISK = re.compile(r"No space left on device|quota exceeded|\d+ requested and \d+ written")  # the last is numpy's


@contextmanager
def replacing_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; when the block ends well, it takes the place of ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with _naming_a_full_disk(path):
            yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; when the block ends well, it takes the place of ``path``."""
    temporary = path.with_name(f".{path.name}.tmp")  # the same for every process: a killed one's is cleared
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        with _naming_a_full_disk(path):
            yield temporary
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _naming_a_full_disk(path: Path) -> Iterator[None]:
    """Let the error of a full disk say what could not be written, and the mend; the system's says neither."""
    try:
        yield
    except OSError as error:
        if not _FULL_DISK.search(str(error)):  # numpy gives it no number
            raise
        raise OSError(f"{path}: the disk is full; free some space, then run again") from error


def write_json(path: Path, content: Any, *, digits: int = 6) -> None:
    """Write JSON with sorted keys and floats rounded to ``digits``, so that equal results are equal bytes."""
    with replacing_file(path) as temporary:
        text = json.dumps(_rounded(content, digits), indent=2, sort_keys=True, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file; errors as of `reading`."""
    with reading(path, "not JSON"):
        return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def reading(path: Path, otherwise: str, mend: str = MEND) -> Iterator[None]:
    """Let a file that its reader cannot read end in one line that names it, whatever that reader raises.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it is something else (``otherwise`` says what it is not).
    """
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file; {mend}") from None
    except Exception as error:  # of as many kinds as there are readers
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the system's, which tells the file
        why = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path}: {otherwise} ({why}); {mend}") from error


def read_parquet(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a table, or some of its columns; errors as of `reading`."""
    with reading(path, "not a Parquet table as it should be"):
        return pd.read_parquet(path, columns=columns)


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a frame without its index as Parquet."""
    with replacing_file(path) as temporary:
        frame.to_parquet(temporary, index=False)


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, dict):
        return {str(key): _rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item, digits) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return round(value, digits) if isinstance(value, float) else value
