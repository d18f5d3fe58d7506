"""Where a command works: in the repository's folder, as DVC and git do, whichever of its folders the user stands in."""

import os
from pathlib import Path

_stands = Path()  # where the user stands


def enter_repository() -> None:
    """Go to the nearest folder above that is a DVC repository; where there is none, stay."""
    global _stands
    _stands = Path.cwd()
    for folder in (_stands, *_stands.parents):
        if (folder / ".dvc").is_dir():
            os.chdir(folder)
            return


def given(path: str | Path) -> Path:
    """A path that the user gave as text, which counts from where they stand, as one from the repository's folder.

    One outside the repository becomes a whole path. A `Path` is our own, a default for example, and stays.
    """
    if isinstance(path, Path):
        return path
    whole = _stands / path
    below = Path(os.path.relpath(whole))
    return whole if os.pardir in below.parts else below
