"""Whether results belong to the code beside them; part of `make check`.

``dvc.lock`` to code and parameters, git's metrics to ``dvc.lock``, the recorded CPU to its outs, and what docs/results
and the pages show to the metrics.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from debugset.base.command import run
from debugset.versions import lock
from tools.results import mending, pictures, shared, table
from tools.results.__main__ import MAKERS


def problems(root: Path) -> Iterator[str]:
    """A line a problem; results are compared once the lock file is current."""
    stale = list(lock.problems(root))
    yield from stale
    if not stale:
        if lock.maker(root) is None:
            yield f"{lock.MADE_ON}: is of other outs than dvc.lock's; run `make repro`, which records this CPU"
        yield from results_problems(root)


def results_problems(root: Path) -> Iterator[str]:
    """A line for each result that is missing, damaged or contradicted, and for each table that shows other numbers."""
    for result in MAKERS.values():
        yield from shared.problems(root, result.FOLDER)
    for shown in (pictures, table, mending):
        yield from shown.problems(root)


def main() -> None:
    """Print every problem; the exit code is 1 if there is one."""
    found = list(problems(Path.cwd()))
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(int(bool(found)))


if __name__ == "__main__":
    run(main)
