"""Which source a scrape reads: by ``scrape.endpoint``."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from debugset.base.machine import connections
from debugset.pool.deliveries.delivery import require_class
from debugset.pool.deliveries.folder import Folder
from debugset.pool.deliveries.table import Table
from debugset.pool.deliveries.webdataset import WebDataset
from debugset.pool.flickr.photo_service import PhotoService
from debugset.pool.flickr.service import flickr_service
from debugset.pool.hosts import open_web
from debugset.pool.limits import Clock
from debugset.pool.params import ScrapeParams
from debugset.pool.simulator.process import run_simulator
from debugset.pool.source import Source


@contextmanager
def open_source(
    params: ScrapeParams, queries: Mapping[str, Sequence[str]], classes: Sequence[str], world: Path, sources: Path
) -> Iterator[Source]:
    """The source that ``scrape.endpoint`` names; a simulator runs as long as the context.

    Args:
        params: the section ``scrape``.
        queries: class name -> its synonyms, for the classes that are asked.
        classes: all class names.
        world: the image set that the simulator shows.
        sources: the folder of the user's own material.

    Raises:
        ValueError: a class is unknown, a key is missing, or the user's material is not as it should be.
        OSError: the simulator did not start.
    """
    for name in queries:
        require_class(name, classes, "`errors.classes`")
    if params.endpoint == "simulator":
        with run_simulator(world, params.result_cap) as service:
            yield PhotoService(queries, service, params, connections(), Clock())
    elif params.endpoint == "flickr":
        yield PhotoService(queries, flickr_service(), params, connections(), Clock())
    elif params.endpoint == "table":
        yield Table(sources, queries, classes, params, open_web(), connections(), Clock())
    elif params.endpoint == "webdataset":
        yield WebDataset(sources, queries, classes, params)
    else:
        yield Folder(sources, queries, classes, params)
