"""A scrape from end to end: ask, fetch, pack."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from debugset.files import write_json
from debugset.machine import connections, spool_folder
from debugset.pool import pack
from debugset.pool.download import download
from debugset.pool.flickr import Flickr, Unavailable
from debugset.pool.params import ScrapeParams
from debugset.pool.search import ask_all, found
from debugset.pool.service import Service
from debugset.pool.spool import Spool


class Outs(NamedTuple):
    """Where a scrape writes."""

    pool: Path
    attribution: Path
    report: Path


def scrape(
    params: ScrapeParams,
    queries: Mapping[str, Sequence[str]],
    classes: Sequence[str],
    service: Service,
    outs: Outs,
    truth: pd.DataFrame | None = None,
) -> None:
    """Ask a service for weakly labelled photos, fetch them into its spool, and pack the pool.

    A run that was stopped goes on where it was; the outs depend on the service's answers alone.

    Args:
        params: the section ``scrape``.
        queries: class name -> its synonyms, for the classes that are asked.
        classes: the class names that labels index.
        service: who is asked.
        outs: where to write.
        truth: in generated worlds, further columns of the pool's manifest by photo id, for scoring only.

    Raises:
        ValueError: a class is unknown, the service refuses the key or the call, or nothing was found.
        OSError: the network or the service fails; what was fetched stays in the spool.
    """
    if unknown := [name for name in queries if name not in classes]:
        raise ValueError(f"`errors.classes`: {unknown[0]!r} is not a class; choose from {', '.join(classes)}")
    client = Flickr(service)
    with Spool(spool_folder() / "scrape" / f"{service.name}.sqlite") as spool:
        try:
            asked = asyncio.run(ask_all(queries, client, spool, params, connections()))
        except Unavailable as error:
            raise OSError(f"{error}; run again: what is whole is not asked again") from None
        hits = found(asked, client, spool, params)
        if hits.empty:
            raise ValueError("scrape.queries: found no photo between scrape.since and scrape.snapshot; widen them")
        photos = pack.weakly_labelled(hits)
        urls = pack.wanted(photos)
        asyncio.run(download(urls, spool, service.hosts, connections()))
        photos = pack.judged(photos, spool.files(urls), params.min_side)
        pack.write_pool(outs.pool, photos, spool.content, classes, truth)
    pack.write_attribution(outs.attribution, outs.pool)
    write_json(outs.report, pack.report(asked, hits, photos))
