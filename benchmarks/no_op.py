"""What DVC takes to find that nothing must run, with a YAML parser in C and without.

What: seconds of `dvc repro`, nothing to do, and of `dvc status`, the least of five runs.
Against: the same where `_ruamel_yaml`, the parser in C, cannot be imported: DVC then reads dvc.lock in Python.
On: this checkout after `dvc repro`. Both alternate in one process, so that a busy machine slows both.

Run it as `python -m benchmarks.no_op`.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 5
COMMANDS = (["repro"], ["status"])


def main() -> None:
    """Print a line a command."""
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "_ruamel_yaml.py").write_text("raise ImportError")
        without = os.environ | {"PYTHONPATH": scratch}
        for command in COMMANDS:
            rounds = [(seconds(command, os.environ), seconds(command, without)) for _ in range(ROUNDS)]
            fast, slow = (min(times) for times in zip(*rounds, strict=True))
            print(f"dvc {command[0]}: {fast:.1f} s; by a parser in Python {slow:.1f} s; ratio {slow / fast:.2f}")


def seconds(command: list[str], environment: os._Environ[str] | dict[str, str]) -> float:
    """How long a command of DVC takes that must find nothing to do."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "dvc", *command], env=environment, capture_output=True, text=True)
    taken = time.perf_counter() - start
    if done.returncode or "up to date" not in done.stdout:
        raise SystemExit(f"error: `dvc {command[0]}` found something to do; run `dvc repro` first\n{done.stdout}")
    return taken


if __name__ == "__main__":
    main()
