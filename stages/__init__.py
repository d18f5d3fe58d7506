"""The pipeline's stages: each module reads params, calls debugset and writes its outs."""

import os
import sys
from collections.abc import Callable

from dotenv import load_dotenv


def run(main: Callable[[], None]) -> None:
    """Run a stage's ``main``; bad input ends in one line on stderr and exit code 1.

    What ``.env`` says of this machine is added to the environment, which wins.
    Set ``DEBUGSET_TRACEBACK=1`` to see where such an error was raised.
    """
    load_dotenv(".env")
    try:
        main()
    except (ValueError, OSError) as error:
        if os.environ.get("DEBUGSET_TRACEBACK") == "1":
            raise
        sys.exit(f"error: {' '.join(str(error).split())}")
