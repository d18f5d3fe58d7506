"""Record this machine's CPU as the maker of dvc.lock's outs, unless one is recorded for them; part of `make repro`."""

from functools import partial
from pathlib import Path

from debugset.base.command import run
from debugset.versions.lock import record_maker

if __name__ == "__main__":
    run(partial(record_maker, Path.cwd()))
