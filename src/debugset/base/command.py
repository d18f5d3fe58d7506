"""Running a command of a person or of DVC: the machine's settings, and errors as one line."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from dotenv import load_dotenv

from debugset.base import numerics


def run(main: Callable[[], object]) -> None:
    """Run a command; bad input ends in one line on stderr and exit code 1, Ctrl-C in one and code 130.

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
    except (ValueError, OSError) as error:
        if os.environ.get("DEBUGSET_TRACEBACK") == "1":
            raise
        sys.exit(f"error: {' '.join(str(error).split())}")


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
