"""What a result shares with the committed default run: `make check` tells when the two no longer agree.

A result of docs/results takes up to an hour, so an edit that leaves the default's numbers alone asks for no new one.
Beside each lies ``run.json``: the parameters that it was made with, the part of the default run's metrics and outs that
it found too, and the MD5s of the files beside it.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from debugset.base.files import read_json, replacing_file, write_json
from debugset.versions.lock import LOCK, file_md5, locked_outs

RESULTS = Path("docs/results")
RUN = "run.json"
MEND = "run `make results` and commit what it writes"


def write_run(folder: Path, params: dict[str, Any], shared: dict[str, Any]) -> None:
    """Write ``run.json``; call it last, for it says that the rest is there.

    Args:
        folder: of the result.
        params: all parameters of its run.
        shared: by path, parts of the default's metrics files; for ``dvc.lock``, MD5s by out.
    """
    files = {path.name: file_md5(path) for path in sorted(folder.iterdir()) if path.name != RUN}
    write_json(folder / RUN, {"params": params, "shared": shared, "files": files}, digits=17)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file in the place of another."""
    with replacing_file(target) as temporary:
        shutil.copyfile(source, temporary)


def problems(root: Path, folder: Path) -> Iterator[str]:
    """What is missing or changed in the folder of a result, and whether the committed default run contradicts it."""
    name = folder / RUN
    try:
        run = read_json(root / name)
        shared, files = dict(run["shared"]), dict(run["files"])
    except FileNotFoundError:
        yield f"{name}: missing; {MEND}"
        return
    except (ValueError, TypeError, KeyError, AttributeError):
        yield f"{name}: not what `make results` writes; {MEND}"
        return
    for file, part in shared.items():
        committed = locked_outs(root) if file == str(LOCK) else read_json(root / file)
        differing = list(disagreements(part, committed, file))
        if differing:
            yield f"{name}: disagrees with the default run in {len(differing)} values, such as {differing[0]}; {MEND}"
    for file, digest in files.items():
        if file_md5(root / folder / file) != digest:
            yield f"{folder / file}: missing, or not the file that {RUN} beside it names; {MEND}"


def disagreements(part: Any, whole: Any, key: str) -> Iterator[str]:
    """Where a part of nested mappings is not as in the whole: the file's name and dotted keys."""
    if isinstance(part, dict) and isinstance(whole, dict):
        for name, value in part.items():
            yield from disagreements(value, whole.get(name), f"{key}: {name}" if ":" not in key else f"{key}.{name}")
    elif part != whole:
        yield key
