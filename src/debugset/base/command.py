"""Running a command of a person or of DVC: the machine's settings, and errors as one line."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from dotenv import load_dotenv

from debugset.base import numerics


def run(main: Callable[[], object]) -> None:
    """Run a command; bad input ends in one line on stderr and exit code 1, Ctrl-C in one and code 130.

    An error of a library's own kind (of a database, a remote, git, a picture) is about what it was given, so it ends in
    one line too. Python's other kinds are faults of this program, and their traceback is shown.

    What ``.env`` says of this machine is added to the environment, which wins.
    Set ``DEBUGSET_TRACEBACK=1`` to see where such an error was raised.
    """
    portable = numerics.in_force() == "portable"
    try:
        _read_environment_file()
        if portable:
            numerics.make_portable(os.environ)  # what the file says of numerics must not count either
        main()
    except KeyboardInterrupt:
        print("stopped; run it again to go on", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("DEBUGSET_TRACEBACK") == "1" or not _is_told(error):
            raise
        sys.exit(f"error: {_line(error)}")


def _is_told(error: Exception) -> bool:
    """Whether an error says what is wrong with what was given."""
    return isinstance(error, ValueError | OSError) or type(error).__module__ != "builtins"


def _line(error: Exception) -> str:
    """An error as one line; a library's, which names no file of ours, with its kind and how to see more."""
    text = " ".join(str(error).split())
    if isinstance(error, ValueError | OSError):
        return text
    return f"{type(error).__module__}.{type(error).__qualname__}: {text} (DEBUGSET_TRACEBACK=1 shows where)"


def argument(what: str) -> str:
    """The only argument of a command such as ``python -m stages.train VARIANT``; a ValueError says what is expected."""
    if len(sys.argv) != 2:
        raise ValueError(f"usage: python -m stages.{Path(sys.argv[0]).stem} {what}")
    return sys.argv[1]


def _read_environment_file() -> None:
    try:
        load_dotenv(".env")
    except UnicodeDecodeError:
        raise ValueError(".env: not a text in UTF-8; save it as one") from None
