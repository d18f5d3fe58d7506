"""Asking git about the repository of the current folder."""

import os
import subprocess


def git(*arguments: str, stdin: str = "", check: bool = True) -> str:
    """What git prints; its failure is an OSError with git's own words, or counts as nothing without ``check``."""
    english = os.environ | {"LC_ALL": "C"}
    done = subprocess.run(["git", *arguments], input=stdin.encode(), capture_output=True, env=english)
    if check and done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        mend = "; run this in a clone of the repository" if "not a git repository" in said else ""
        raise OSError(f"git {arguments[0]}: {said}{mend}")
    return "" if done.returncode else done.stdout.decode(errors="replace")
