"""A scratch clone in which a result is made: it shares DVC's cache and the spool, so that what ran stays run."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from debugset.base.git import git
from debugset.base.machine import spool_folder
from debugset.base.params import read
from debugset.versions.scratch import cache_of, use_cache

WRITTEN = ("README.md", "docs")  # by results made before


@dataclass(frozen=True)
class Clone:
    """A scratch clone."""

    folder: Path

    def run(self, *command: str) -> None:
        """Run a command in it, its output shown; its failure is an error."""
        print(f"\n$ {' '.join(command)}", flush=True)
        self._finished(command)

    def output(self, *command: str) -> str:
        """Run a command in it; what it prints."""
        return self._finished(command, stdout=subprocess.PIPE).stdout

    def _finished(self, command: tuple[str, ...], **options: Any) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, text=True, **options
        )
        if done.returncode:
            raise OSError(f"`{' '.join(command)}` failed in a clone of the last commit; its words are above")
        return done

    @property
    def environment(self) -> dict[str, str]:
        """What its commands run in: this environment's Python first, this checkout's spool."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return os.environ | {"PATH": path, "DEBUGSET_SPOOL": str(spool_folder().resolve()), "DVC_NO_ANALYTICS": "1"}

    @property
    def params(self) -> dict[str, Any]:
        """Its parameters."""
        return read(self.folder / "params.yaml")


def checked_head() -> str:
    """The last commit.

    Raises:
        ValueError: code or parameters have uncommitted changes, so that the last commit is not what is here.
    """
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", *(f":!{path}" for path in WRITTEN))
    if changed:
        names = ", ".join(line[3:] for line in changed.splitlines())
        raise ValueError(f"{names}: commit your changes first; results are made from the last commit")
    return git("rev-parse", "HEAD").strip()


@contextmanager
def clone_of(commit: str) -> Iterator[Clone]:
    """A clone at a commit, removed in the end."""
    with tempfile.TemporaryDirectory(prefix="debugset-results-") as scratch:
        folder = Path(scratch) / "debugset"
        git("clone", "--quiet", "--no-tags", ".", str(folder))
        clone = Clone(folder)
        clone.run("git", "checkout", "--quiet", "-B", "results", commit)
        use_cache(folder, cache_of(Path.cwd()))
        clone.run("git", "config", "user.name", "results")
        clone.run("git", "config", "user.email", "results@localhost")
        yield clone
