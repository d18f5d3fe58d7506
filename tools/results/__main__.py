"""Make every result of docs/results anew, or those named, and the tables and pictures that show them: `make results`.

    python -m tools.results [pictures] [table] [sweep] [mending] [data-versions]

Each runs the pipeline in a scratch clone of HEAD that shares DVC's cache: killed, it goes on with the stage it was at.
"""

import sys
import time
from types import ModuleType

from debugset.base.command import run
from tools.results import data_versions, mending, pictures, sweep, table
from tools.results.blocks import BLOCKS, read_block
from tools.results.clone import checked_head, clone_of

MAKERS: dict[str, ModuleType] = {  # modules: each says its folder and makes what lies there
    "pictures": pictures,
    "table": table,
    "sweep": sweep,
    "mending": mending,
    "data-versions": data_versions,
}


def main() -> None:
    """Make the results that the command names, or all."""
    names = sys.argv[1:] or list(MAKERS)
    for name in names:
        if name not in MAKERS:
            raise ValueError(f"{name}: no such result; choose from {', '.join(MAKERS)}")
    for page, block in BLOCKS:
        read_block(page, block)  # a page without its comments is told now, not after an hour
    commit = checked_head()
    for name in names:
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        with clone_of(commit) as clone:
            MAKERS[name].make(clone)
        print(f"== {name}: {time.monotonic() - started:.0f} s", flush=True)
    print(f"\nmade {', '.join(names)}; next: read what git shows as changed, and commit it")


if __name__ == "__main__":
    run(main)
