"""Scratch copies of a repository, in which DVC runs apart from the user's folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

from debugset.base.machine import spool_folder


def listed_files(root: Path) -> list[str]:
    """The files of git's index.

    Raises:
        OSError: the folder is in no git repository.
    """
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True)
    if listing.returncode:
        words = listing.stderr.decode(errors="replace").strip()  # for another user's clone they tell the mend
        raise OSError(f"{root.resolve()}: git lists no files there ({words}); run this in a clone of the repository")
    return listing.stdout.decode().split("\0")[:-1]


def lay_out(root: Path, folder: Path) -> None:
    """Copy the tracked files, as they are now, into a new git repository without any data."""
    for name in listed_files(root):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)


def cache_of(root: Path) -> Path:
    """The folder of a repository's DVC cache; an OSError with DVC's own words if it cannot tell."""
    command = run_dvc(root, "cache", "dir")
    if command.returncode:
        raise OSError(f"dvc cache dir: {' '.join(command.stdout.split())}")
    return (root / command.stdout.strip()).resolve()


def use_cache(folder: Path, cache: Path) -> None:
    """Have a scratch copy use a DVC cache. By hand: DVC 3.67 writes no letter beyond ASCII into its configuration."""
    (folder / ".dvc/config.local").write_text(f'[cache]\n    dir = """{cache}"""\n', encoding="utf-8")


def scratch_environment(folder: Path) -> dict[str, str]:
    """This environment without what binds git and DVC to another repository."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
    return kept | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(folder / ".dvc/tmp/site")}


def run_dvc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run DVC in a folder; what it says is all in ``stdout``."""
    command = [sys.executable, "-m", "dvc", *arguments]
    environment = scratch_environment(folder)
    return subprocess.run(command, cwd=folder, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, text=True)


def empty_spool(folder: Path) -> Path:
    """A new spool in a folder that knows nothing but the sources which this machine has fetched before."""
    sources = spool_folder().resolve() / "sources"
    try:
        sources.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"DEBUGSET_SPOOL: {sources} cannot be made ({error.strerror})") from None
    folder.mkdir(parents=True)
    (folder / "sources").symlink_to(sources)
    return folder
