"""What ``dvc.lock`` says: every stage's outs, whether they belong to code and parameters, and whose CPU made them."""

import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

from debugset.base.files import read_json, write_json
from debugset.base.numerics import cpu_name
from debugset.versions.scratch import lay_out, listed_files, run_dvc

LOCK = Path("dvc.lock")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same values; libyaml's is ten times faster
MADE_ON = Path("docs/results/made_on.json")
_DRY_RUN = ("repro", "--allow-missing", "--dry")
MEND = "run `make repro`, commit what it changed, then `make push`"
_WOULD_RUN = re.compile(r"(?:Running stage|failed to reproduce) '([^']+)'")


def locked_stages(root: Path) -> dict[str, Any]:
    """The entries of the lock file by stage.

    Raises:
        FileNotFoundError: there is no lock file.
        ValueError: it is none of DVC's.
    """
    path = root / LOCK
    if not path.is_file():
        mend = MEND if (root / "dvc.yaml").is_file() else "run this in the repository's folder"
        raise FileNotFoundError(f"{LOCK}: no such file; {mend}")
    try:
        stages = yaml.load(path.read_text(encoding="utf-8"), LOADER)["stages"]
        for entry in stages.values():
            digests(entry, "outs")
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, KeyError, AttributeError):
        raise ValueError(f"{LOCK}: not a lock file of DVC's (a merge conflict?); restore it from git") from None
    return stages


def digests(entry: Mapping[str, Any], kind: Literal["outs", "deps"]) -> dict[str, str]:
    """The MD5 of each out or dep of a stage's entry, by path."""
    return {one["path"]: one["md5"] for one in entry.get(kind, ())}


def locked_outs(root: Path) -> dict[str, str]:
    """The MD5 of every stage's outs by path."""
    outs: dict[str, str] = {}
    for entry in locked_stages(root).values():
        outs |= digests(entry, "outs")
    return outs


def file_md5(path: Path) -> str:
    """A file's MD5 as DVC reckons it, or nothing for one that is not there."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() if path.is_file() else ""


def problems(root: Path) -> Iterator[str]:
    """What is wrong with a repository's lock file, a line each; nothing if it belongs to the files beside it.

    The tracked files are laid in a scratch folder without any data, and DVC is asked what it would run there: if
    anything, colleagues who pull would compute anew what was meant to be shared.
    """
    try:
        outs = locked_outs(root)
    except FileNotFoundError as error:
        yield str(error)
        return
    tracked = set(listed_files(root))  # of outs, git has metrics and plots
    for path, digest in outs.items():
        if path in tracked and file_md5(root / path) != digest:
            yield f"{path}: differs from what {LOCK} records; {MEND}"
    with tempfile.TemporaryDirectory() as scratch:
        lay_out(root, Path(scratch))
        dry_run = run_dvc(Path(scratch), *_DRY_RUN)
    stages = sorted(set(_WOULD_RUN.findall(dry_run.stdout)))
    for stage in stages:
        yield f"{LOCK} is stale: stage `{stage}` would run; {MEND}"
    if dry_run.returncode and not stages:
        yield f"`dvc {' '.join(_DRY_RUN)}` failed in a clone without data: {' '.join(dry_run.stdout.split())[-600:]}"


def maker(root: Path) -> str | None:
    """The CPU that made the lock file's outs, or None if nobody has recorded it."""
    try:
        recorded = read_json(root / MADE_ON)
        return str(recorded["cpu"]) if recorded["outs"] == _digest_of_outs(root) else None
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def record_maker(root: Path) -> None:
    """Record this machine's CPU as the one that made the outs, unless one is recorded for these very outs."""
    if maker(root) is None:
        write_json(root / MADE_ON, {"cpu": cpu_name(), "outs": _digest_of_outs(root)})


def _digest_of_outs(root: Path) -> str:
    """One SHA-256 for all outs: the same however often the code around them changed."""
    lines = [f"{path} {digest}" for path, digest in locked_outs(root).items()]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
