"""Asking git about the repository of the current folder."""

import subprocess


def git(*arguments: str, stdin: str = "", check: bool = True) -> str:
    """What git prints.

    Args:
        arguments: its command line.
        stdin: what it reads.
        check: whether its failure is an error; else what it then printed counts as nothing.

    Raises:
        OSError: git failed, with its own words.
    """
    done = subprocess.run(["git", *arguments], input=stdin.encode(), capture_output=True)
    if check and done.returncode:
        raise OSError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="replace") if not done.returncode else ""
