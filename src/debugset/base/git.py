"""Asking git about the repository of the current folder."""

import subprocess


def git(*arguments: str, stdin: str = "", check: bool = True) -> str:
    """What git prints; its failure is an OSError with git's own words, or counts as nothing without ``check``."""
    done = subprocess.run(["git", *arguments], input=stdin.encode(), capture_output=True)
    if check and done.returncode:
        raise OSError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return "" if done.returncode else done.stdout.decode(errors="replace")
