"""A scrape from end to end: find, fetch, pack."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import stamina

from debugset.base.files import write_json, write_parquet
from debugset.base.machine import spool_folder
from debugset.pool import pack
from debugset.pool.params import ScrapeParams
from debugset.pool.progress import Meter
from debugset.pool.rights.attribution import write_attribution
from debugset.pool.source import Source, urls_of
from debugset.pool.spool import Spool


class Outs(NamedTuple):
    """Where a scrape writes: the image set, the folder of credits, the report, the table of all photos found."""

    pool: Path
    attribution: Path
    report: Path
    photos: Path


def scrape(
    params: ScrapeParams,
    source: Source,
    classes: Sequence[str],
    outs: Outs,
    forgotten: Collection[str] = frozenset(),
    truth: pd.DataFrame | None = None,
) -> None:
    """Find weakly labelled photos, fetch them into the source's spool, and pack the pool.

    A run that was stopped goes on where it was; the outs depend on the source's answers alone.

    Args:
        classes: the class names that labels index.
        forgotten: ids of photos that are neither fetched nor packed nor mentioned.
        truth: in generated worlds, further columns of the pool's manifest by photo id, for scoring only.

    Raises:
        ValueError: the service refuses the key or the call, or there is nothing to pack.
        OSError: the network, the service or the disk fails; what was fetched stays in the spool.
    """
    stamina.instrumentation.set_on_retry_hooks(())  # its log of retries says neither of what nor why
    with Spool(spool_folder() / "scrape" / f"{source.name}.sqlite") as spool, spool.lock():
        spool.clear_progress()
        hits, searches = source.find(spool)
        spool.forget(forgotten)  # of a colleague's list, or asked for anew
        if hits.empty:
            raise ValueError("scrape: found no photo; widen scrape.queries, scrape.since or scrape.snapshot")
        found = hits["id"].nunique()
        hits = hits[~hits["id"].isin(forgotten)]
        if hits.empty:
            raise ValueError(f"scrape: forgotten.txt lists every photo that was found ({found:,}); find others")
        photos = pack.label_photos(hits)
        downloads = pack.list_downloads(photos)
        source.fetch(downloads, spool)
        photos = pack.add_verdicts(photos, spool.files(urls_of(downloads)), params)
        with Meter(spool, "packing", "photo", _count_packed(photos)) as meter:

            def content(url: str) -> bytes:
                meter.update()
                return source.content(url, spool)

            pack.write_pool(outs.pool, photos, content, classes, truth)
    write_attribution(outs.attribution, outs.pool)
    write_parquet(outs.photos, photos[pack.PHOTO_COLUMNS])
    write_json(outs.report, pack.report(searches, hits, photos, len(forgotten)))


def _count_packed(photos: pd.DataFrame) -> int:
    faults = photos["fault"].value_counts()
    if "" not in faults:
        reasons = ", ".join(f"{fault} {count}" for fault, count in faults.items())
        raise ValueError(f"scrape: none of {len(photos)} photos found can be packed ({reasons}); see docs/pool.md")
    return int(faults[""])
