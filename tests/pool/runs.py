"""Scrapes of a tiny world, in this process or in one that is killed."""

import asyncio
import json
import sys
from collections.abc import Collection
from pathlib import Path

import pandas as pd
import stamina

from debugset.images.sets import open_set
from debugset.pool.flickr.photo_service import PhotoService
from debugset.pool.flickr.service import Service
from debugset.pool.limits import Clock
from debugset.pool.scrape import Outs, scrape
from tests.pool.worlds import CLASSES, QUERIES, scrape_params

TRUTH = ["true_label", "context", "planted", "copy_of"]


class Rushed(Clock):
    """A clock on which every wait is over at once."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def now(self) -> float:
        return super().now() + self.skipped

    async def sleep(self, seconds: float) -> None:
        self.skipped += max(0.0, seconds)
        await asyncio.sleep(0)


def outs(folder: Path) -> Outs:
    return Outs(folder / "pool", folder / "attribution", folder / "scrape.json", folder / "photos.parquet")


def files(folder: Path) -> dict[str, bytes]:
    """What a run wrote, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(
    service: Service,
    world: Path,
    folder: Path,
    forgotten: Collection[str] = frozenset(),
    connections: int = 4,
    **changes: object,
) -> dict[str, bytes]:
    """Scrape a service over a world into a folder; returns what was written."""
    params = scrape_params(**changes)
    source = PhotoService(QUERIES, service, params, connections, Rushed())
    truth: pd.DataFrame = open_set(world).manifest.set_index("id")[TRUTH]
    scrape(params, source, CLASSES, outs(folder), forgotten, truth)
    return files(folder)


def main() -> None:
    """Run as a process that kills itself when it has packed so many photos."""
    import os
    import signal

    from debugset.pool.simulator.process import simulator_service

    url, world, folder, changes, packed = sys.argv[1:]
    stamina.set_testing(True, attempts=6)
    given, content = [], PhotoService.content

    def counted(self: PhotoService, *arguments: object) -> bytes:
        given.append(1)
        if len(given) > int(packed):
            os.kill(os.getpid(), signal.SIGKILL)
        return content(self, *arguments)  # type: ignore[arg-type]

    PhotoService.content = counted  # type: ignore[method-assign]
    run(simulator_service(url, Path(world)), Path(world), Path(folder), **json.loads(changes))


if __name__ == "__main__":
    main()
