"""Asking git about the repository of the current folder."""

import os
import subprocess

_NOT_OURS = b"dubious ownership"  # another user's clone, of which git says nothing


def git(*arguments: str, stdin: str = "", check: bool = True) -> str:
    """What git prints; its failure is an OSError with git's own words, or counts as nothing without ``check``.

    That the repository is another user's is an error all the same; git's words tell the mend.
    """
    english = os.environ | {"LC_ALL": "C"}
    done = subprocess.run(["git", *arguments], input=stdin.encode(), capture_output=True, env=english)
    if done.returncode and (check or _NOT_OURS in done.stderr):
        said = done.stderr.decode(errors="replace").strip()
        mend = "; run this in a clone of the repository" if "not a git repository" in said else ""
        raise OSError(f"git {arguments[0]}: {said}{mend}")
    return "" if done.returncode else done.stdout.decode(errors="replace")
