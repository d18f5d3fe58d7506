"""What a result shares with the committed default run: `make check` tells when the two no longer agree.

A result of docs/results takes an hour, so an edit that leaves the default's numbers alone asks for no new one. Beside
each lies ``run.json``: the parameters that it was made with, and the part of the default run's metrics and outs that
it found too.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from debugset.files import read_json, replacing_file, write_json
from debugset.versions.lock import LOCK, locked_outs

RESULTS = Path("docs/results")
RUN = "run.json"
MEND = "run `make results` and commit what it writes"


def write_run(folder: Path, params: dict[str, Any], shared: dict[str, Any]) -> None:
    """Write ``run.json``.

    Args:
        folder: of the result.
        params: all parameters of its run.
        shared: by path, parts of the default's metrics files; for ``dvc.lock``, MD5s by out.
    """
    write_json(folder / RUN, {"params": params, "shared": shared}, digits=17)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file in the place of another."""
    with replacing_file(target) as temporary:
        shutil.copyfile(source, temporary)


def outs_of(root: Path) -> dict[str, str]:
    """The MD5 of every out of a repository's lock file, by path."""
    return {path: digest for outs in locked_outs(root).values() for path, digest in outs.items()}


def problems(root: Path) -> Iterator[str]:
    """A line for each result that the committed default run contradicts."""
    for path in sorted((root / RESULTS).glob(f"*/{RUN}")):
        for file, part in read_json(path)["shared"].items():
            committed = outs_of(root) if file == str(LOCK) else read_json(root / file)
            differing = list(disagreements(part, committed))
            if differing:
                yield (
                    f"{path.relative_to(root)}: disagrees with {file} in {len(differing)} values, such as "
                    f"{differing[0]}; {MEND}"
                )


def disagreements(part: Any, whole: Any, key: str = "") -> Iterator[str]:
    """The dotted keys at which a part of nested mappings is not as in the whole."""
    if isinstance(part, dict) and isinstance(whole, dict):
        for name, value in part.items():
            yield from disagreements(value, whole.get(name), f"{key}.{name}".lstrip("."))
    elif part != whole:
        yield key
