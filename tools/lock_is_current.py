"""Whether `dvc.lock` and git's metrics belong to the code and parameters beside them; part of `make check`.

The files that git tracks, as they are now, are laid in a scratch folder without any data, and DVC is asked what it
would run there. An answer other than "nothing" means that the lock file is stale: colleagues who pull would
compute anew what was meant to be shared.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml

WOULD_RUN = re.compile(r"Running stage '([^']+)'|failed to reproduce '([^']+)'")
COMMAND = ["dvc", "repro", "--allow-missing", "--dry"]
MEND = "run `dvc repro`, commit dvc.lock, metrics and plots, then `make push`"


def problems(root: Path) -> Iterator[str]:
    """What is wrong with the lock file, a line each; nothing if it is current."""
    if not (root / "dvc.lock").is_file():
        yield f"dvc.lock: no such file; {MEND}"
        return
    differing = list(differing_files(root))
    yield from (f"{path}: differs from what dvc.lock records; {MEND}" for path in differing)
    with tempfile.TemporaryDirectory() as scratch:
        lay_out(root, Path(scratch))
        done = subprocess.run(
            [sys.executable, "-m", *COMMAND], cwd=scratch, env=environment(Path(scratch)), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    stages = sorted({name for names in WOULD_RUN.findall(done.stdout) for name in names if name})
    yield from (f"dvc.lock is stale: stage `{stage}` would run; {MEND}" for stage in stages)
    if done.returncode and not stages:
        yield f"`{' '.join(COMMAND)}` failed in a clone without data: {' '.join(done.stdout.split())[-600:]}"


def differing_files(root: Path) -> Iterator[str]:
    """The outs in git (metrics, plots) whose content is not the one that the lock file records."""
    stages = yaml.safe_load((root / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    tracked = set(tracked_files(root))
    for entry in stages.values():
        for out in entry.get("outs", ()):
            if out["path"] in tracked:
                content = (root / out["path"]).read_bytes()
                if hashlib.md5(content, usedforsecurity=False).hexdigest() != out["md5"]:
                    yield out["path"]


def tracked_files(root: Path) -> list[str]:
    """The files of git's index that are there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True)
    return [name for name in listed.stdout.decode().split("\0")[:-1] if (root / name).is_file()]


def lay_out(root: Path, scratch: Path) -> None:
    """Copy the tracked files into a new git repository."""
    for name in tracked_files(root):
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, scratch / name)
    subprocess.run(["git", "init", "-q"], cwd=scratch, check=True)


def environment(scratch: Path) -> dict[str, str]:
    """This environment without what binds git and DVC to another repository."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
    return kept | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(scratch / ".dvc/tmp/site")}


def main() -> int:
    """Print every problem; the exit code is 1 if there is one."""
    found = list(problems(Path.cwd()))
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
