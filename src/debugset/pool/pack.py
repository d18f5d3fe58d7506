"""From what was found and fetched to the pool: pure, so that the same answers give the same bytes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from debugset.base.files import replacing_folder
from debugset.images.sets import write_set
from debugset.pool.fault import Fault
from debugset.pool.files.verdict import verdict
from debugset.pool.params import ScrapeParams
from debugset.pool.source import Download, SearchRecord
from debugset.pool.spool import OK, File

_POOL_COLUMNS = ["title", "tags", "licence", "owner", "owner_name", "uploaded", "url", "query", "page"]
PHOTO_COLUMNS = ["id", "class_name", "query", "shard", "page", "url", "fault"]  # of every photo found
_FILE_COLUMNS = ["url", "fault", "width", "height", "extension", "sha256"]
_REPEATED = 10  # as many equal files hardly are reposts: perhaps a picture that says "unavailable"


def label_photos(hits: pd.DataFrame) -> pd.DataFrame:
    """One row a photo, oldest first, with the class whose queries found it, of a table of hits in the queries' order.

    Photos that queries of more than one class found have the fault ``cross_class``. That depends on the photo and its
    shard alone, not on the snapshot: rows outside their window and those of later shards do not count.
    """
    is_stray = hits["fault"] == Fault.OUTSIDE_WINDOW
    inside = hits[~is_stray]
    inside = inside[inside["shard"] == inside.groupby("id")["shard"].transform("min")]
    classes = inside.groupby("id")["class_name"].nunique()
    outside_alone = hits[is_stray & ~hits["id"].isin(inside["id"])]
    photos = pd.concat([inside, outside_alone]).drop_duplicates("id")
    photos = photos.sort_values(["shard", "uploaded", "id"], ignore_index=True)
    photos.loc[photos["id"].map(classes) > 1, "fault"] = Fault.CROSS_CLASS
    return photos


def list_downloads(photos: pd.DataFrame) -> list[Download]:
    """The photos whose files are wanted: those without a fault, oldest first."""
    rows = photos.loc[photos["fault"] == "", ["id", "urls"]]
    return [Download(photo, tuple(urls)) for photo, urls in rows.itertuples(index=False, name=None)]


def add_verdicts(photos: pd.DataFrame, files: Mapping[str, File], params: ScrapeParams) -> pd.DataFrame:
    """The photos with ``url, width, height, extension, sha256`` and a fault for those not to be packed.

    Of equal files the oldest photo's stays.

    Args:
        photos: one row a photo, oldest first, with ``urls`` and ``fault``.
        files: address -> what became of it, for all that had to be fetched.
        params: the section ``scrape``; its limits decide.
    """
    rows = []
    for urls, fault in zip(photos["urls"], photos["fault"], strict=True):
        url, file = ("", File(fault)) if fault else verdict(urls, files, params)
        assert file is not None, f"{url} was not fetched"
        fault = "" if file.status == OK else file.status
        rows.append((url, fault, file.width, file.height, file.extension, file.sha256))
    photos = photos.drop(columns="fault").join(pd.DataFrame(rows, photos.index, _FILE_COLUMNS))
    packed = photos.loc[photos["fault"] == "", "sha256"]
    photos.loc[packed.index[packed.duplicated()], "fault"] = Fault.DUPLICATE
    return photos


def write_pool(
    folder: Path,
    photos: pd.DataFrame,
    content: Callable[[str], bytes],
    classes: Sequence[str],
    truth: pd.DataFrame | None = None,
) -> None:
    """Write the pool as an image set, a shard an upload window.

    Args:
        folder: takes the set's place when it is whole.
        photos: with verdicts, oldest first; those with a fault are left out.
        content: gives the bytes behind an address; called when they are written, one photo at a time.
        classes: the class names that labels index.
        truth: in generated worlds, further columns with the photo id as index, for scoring only.
    """
    packed = photos.loc[photos["fault"] == "", ["id", "shard", "width", "height", "extension", *_POOL_COLUMNS]]
    label = {name: index for index, name in enumerate(classes)}
    packed.insert(1, "label", photos["class_name"].map(label))
    packed["shard"] += ".tar"
    if truth is not None:
        packed = packed.join(truth, on="id", how="inner")

    def records() -> Iterator[tuple[dict[str, Any], Callable[[], bytes]]]:
        """Each photo's row, with what gives its file."""
        for row in packed.itertuples(index=False, name=None):
            record = dict(zip(packed.columns, row, strict=True))
            yield record, partial(content, record["url"])

    with replacing_folder(folder) as temporary:
        write_set(temporary, records(), classes)


def report(
    searches: Sequence[SearchRecord], hits: pd.DataFrame, photos: pd.DataFrame, forgotten: int
) -> dict[str, Any]:
    """The scrape report: what was asked, found, dropped, rejected and packed, for all and by class and query.

    ``windows`` counts the upload windows whose results were taken, ``bisections`` how often one was halved,
    ``lost_to_cap`` the photos of single seconds that the result cap hides. ``repeated_files`` names files
    that many photos share. In ``by_class`` a photo that several classes found counts for each of them.

    Args:
        searches: what was asked.
        hits: one row a photo and query.
        photos: with verdicts.
        forgotten: how many ids are listed as forgotten.
    """
    by_class, queries = {}, 0
    for name, own_hits in hits.groupby("class_name"):
        own_searches = [search for search in searches if search.class_name == name]
        found: dict[Any, int] = dict.fromkeys([search.query for search in own_searches], 0)
        found |= own_hits.groupby("query")["id"].nunique().to_dict()
        by_class[name] = _counts(own_searches, photos[photos["id"].isin(own_hits["id"])]) | {"queries": found}
        queries += len(found)
    equal = photos.loc[photos["fault"].isin(["", Fault.DUPLICATE]), "sha256"].value_counts()
    return _counts(searches, photos) | {
        "asked": {"classes": len(by_class), "queries": queries},
        "by_class": by_class,
        "forgotten": forgotten,
        "repeated_files": equal[equal >= _REPEATED].to_dict(),
        "shards": photos.loc[photos["fault"] == "", "shard"].value_counts().to_dict(),
    }


def _counts(searches: Sequence[SearchRecord], photos: pd.DataFrame) -> dict[str, Any]:
    faults = photos["fault"].value_counts().to_dict()
    packed, cross_class = faults.pop("", 0), faults.pop(Fault.CROSS_CLASS, 0)
    windows = bisections = lost = 0
    for search in searches:
        windows += len(search.windows)
        bisections += max(0, len(search.windows) - 1)  # each halving adds one window
        lost += sum(window.lost for window in search.windows)
    return {
        "windows": windows,
        "bisections": bisections,
        "lost_to_cap": lost,
        "found": len(photos),
        "cross_class_dropped": cross_class,
        "rejected": faults,
        "packed": packed,
    }
