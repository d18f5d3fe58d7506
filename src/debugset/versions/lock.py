"""What ``dvc.lock`` says: every stage's outs, whether they belong to code and parameters, and whose CPU made them."""

import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from debugset.files import read_json, write_json
from debugset.numerics import cpu_name
from debugset.params import LOADER
from debugset.versions.scratch import lay_out, scratch_environment, tracked_files

LOCK = Path("dvc.lock")
MADE_ON = Path("docs/results/made_on.json")
DRY_RUN = ["dvc", "repro", "--allow-missing", "--dry"]
MEND = "run `make repro`, commit what it changed, then `make push`"
_WOULD_RUN = re.compile(r"Running stage '([^']+)'|failed to reproduce '([^']+)'")


def locked_stages(root: Path) -> dict[str, Any]:
    """The entries of the lock file by stage.

    Raises:
        FileNotFoundError: there is no lock file.
    """
    path = root / LOCK
    if not path.is_file():
        raise FileNotFoundError(f"{LOCK}: no such file; {MEND}")
    return yaml.load(path.read_text(encoding="utf-8"), LOADER)["stages"]


def locked_outs(root: Path) -> dict[str, dict[str, str]]:
    """By stage, the MD5 of each of its outs by path."""
    stages = locked_stages(root)
    return {name: {out["path"]: out["md5"] for out in entry.get("outs", ())} for name, entry in stages.items()}


def problems(root: Path) -> Iterator[str]:
    """What is wrong with a repository's lock file, a line each; nothing if it belongs to the files beside it.

    The files that git tracks, as they are now, are laid in a scratch folder without any data, and DVC is asked what it
    would run there. An answer other than "nothing" means that the lock file is stale: colleagues who pull would
    compute anew what was meant to be shared.
    """
    if not (root / LOCK).is_file():
        yield f"{LOCK}: no such file; {MEND}"
        return
    differing = list(_differing_files(root))
    yield from (f"{path}: differs from what {LOCK} records; {MEND}" for path in differing)
    with tempfile.TemporaryDirectory() as scratch:
        lay_out(root, Path(scratch))
        done = subprocess.run(
            [sys.executable, "-m", *DRY_RUN], cwd=scratch, env=scratch_environment(Path(scratch)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    stages = sorted({name for names in _WOULD_RUN.findall(done.stdout) for name in names if name})
    yield from (f"{LOCK} is stale: stage `{stage}` would run; {MEND}" for stage in stages)
    if done.returncode and not stages:
        yield f"`{' '.join(DRY_RUN)}` failed in a clone without data: {' '.join(done.stdout.split())[-600:]}"


def _differing_files(root: Path) -> Iterator[str]:
    """The outs in git (metrics, plots) whose content is not the one that the lock file records."""
    tracked = set(tracked_files(root))
    for outs in locked_outs(root).values():
        for path, digest in outs.items():
            if path in tracked:
                content = (root / path).read_bytes()
                if hashlib.md5(content, usedforsecurity=False).hexdigest() != digest:
                    yield path


def maker(root: Path) -> str | None:
    """The CPU that made the lock file's outs, or None if nobody has recorded it."""
    path = root / MADE_ON
    recorded = read_json(path) if path.is_file() else {}
    return recorded["cpu"] if recorded.get("outs") == _digest_of_outs(root) else None


def record_maker(root: Path) -> None:
    """Record this machine's CPU as the one that made the outs, unless one is recorded for these very outs."""
    if maker(root) is None:
        write_json(root / MADE_ON, {"cpu": cpu_name(), "outs": _digest_of_outs(root)})


def _digest_of_outs(root: Path) -> str:
    """One SHA-256 for all outs: the same however often the code around them changed."""
    lines = [f"{path} {digest}" for outs in locked_outs(root).values() for path, digest in outs.items()]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
