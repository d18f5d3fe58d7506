"""From what was found and fetched to the pool: pure, so that the same answers give the same bytes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from debugset.base.files import replacing_folder
from debugset.images.sets import write_set
from debugset.pool.files.download import settled
from debugset.pool.params import ScrapeParams
from debugset.pool.source import Asked, Wanted
from debugset.pool.spool import File

_POOL_COLUMNS = ["title", "tags", "licence", "owner", "owner_name", "uploaded", "url", "query", "page"]
_PHOTO_COLUMNS = ["id", "class_name", "query", "shard", "page", "url", "fault"]
_REPEATED = 10  # as many equal files hardly are reposts: perhaps a picture that says "unavailable"


def weakly_labelled(found: pd.DataFrame) -> pd.DataFrame:
    """One row a photo, oldest first, with the class whose queries found it.

    Args:
        found: one row a photo and query, in the order of the queries (`debugset.pool.source.Found`).

    Returns:
        The photos; those that queries of more than one class found have the fault ``cross_class``. That
        depends on the photo and its shard alone, not on the snapshot: rows outside their window and those of
        later shards do not count.
    """
    stray = found["fault"] == "outside_window"
    inside = found[~stray]
    inside = inside[inside["shard"] == inside.groupby("id")["shard"].transform("min")]
    classes = inside.groupby("id")["class_name"].nunique()
    photos = pd.concat([inside, found[stray & ~found["id"].isin(inside["id"])]]).drop_duplicates("id")
    photos = photos.sort_values(["shard", "uploaded", "id"], ignore_index=True)
    photos.loc[photos["id"].map(classes) > 1, "fault"] = "cross_class"
    return photos


def wanted(photos: pd.DataFrame) -> list[Wanted]:
    """The photos whose files are wanted: those without a fault, oldest first."""
    rows = photos.loc[photos["fault"] == "", ["id", "urls"]]
    return [Wanted(photo, tuple(urls)) for photo, urls in rows.itertuples(index=False, name=None)]


def judged(photos: pd.DataFrame, files: Mapping[str, File], params: ScrapeParams) -> pd.DataFrame:
    """The photos with what became of their files.

    Args:
        photos: one row a photo, oldest first, with ``urls`` and ``fault``.
        files: address -> what became of it, for all that had to be fetched.
        params: the section ``scrape``; its limits decide.

    Returns:
        The photos with ``url, width, height, extension, sha256`` and a fault for those not to be packed. Of equal
        files the oldest photo's stays.
    """
    rows = [
        ("", fault, File("")) if fault else _judged(urls, files, params)
        for urls, fault in zip(photos["urls"], photos["fault"], strict=True)
    ]
    columns: dict[str, Any] = {
        name: [getattr(file, name) for _, _, file in rows] for name in ("width", "height", "extension", "sha256")
    }
    photos = photos.assign(url=[url for url, _, _ in rows], fault=[fault for _, fault, _ in rows], **columns)
    good = photos.loc[photos["fault"] == "", "sha256"]
    photos.loc[good.index[good.duplicated()], "fault"] = "duplicate"
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
        photos: the judged photos, oldest first; those with a fault are left out.
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
        for row in packed.itertuples(index=False, name=None):
            record = dict(zip(packed.columns, row, strict=True))
            yield record, partial(content, record["url"])

    with replacing_folder(folder) as temporary:
        write_set(temporary, records(), classes)


def photo_table(photos: pd.DataFrame) -> pd.DataFrame:
    """What became of every photo found: one row a photo, ``fault`` empty where it was packed."""
    return photos[_PHOTO_COLUMNS]


def report(asked: Sequence[Asked], found: pd.DataFrame, photos: pd.DataFrame, forgotten: int) -> dict[str, Any]:
    """The scrape report: what was asked, found, dropped, rejected and packed, for all and by class and query.

    ``windows`` counts the upload windows whose results were taken, ``bisections`` how often one was halved,
    ``lost_to_cap`` the photos of single seconds that the result cap hides. ``repeated_files`` names files
    that many photos share. In ``by_class`` a photo that several classes found counts for each of them.

    Args:
        asked: the searches.
        found: one row a photo and query.
        photos: the judged photos.
        forgotten: how many ids are listed as forgotten.
    """
    by_class = {}
    for name in dict.fromkeys(found["class_name"]):
        rows, own = found[found["class_name"] == name], [entry for entry in asked if entry.class_name == name]
        queries = {query: 0 for query in dict.fromkeys(entry.query for entry in own)}
        queries |= rows.groupby("query")["id"].nunique().to_dict()
        by_class[name] = _counts(own, photos[photos["id"].isin(rows["id"])]) | {"queries": queries}
    shards = photos.loc[photos["fault"] == "", "shard"].value_counts().to_dict()
    asked_for = {"classes": len(by_class), "queries": sum(len(counts["queries"]) for counts in by_class.values())}
    equal = photos.loc[photos["fault"].isin(["", "duplicate"]), "sha256"].value_counts()
    return _counts(asked, photos) | {
        "asked": asked_for,
        "by_class": by_class,
        "forgotten": forgotten,
        "repeated_files": equal[equal >= _REPEATED].to_dict(),
        "shards": shards,
    }


def _counts(asked: Sequence[Asked], photos: pd.DataFrame) -> dict[str, Any]:
    faults = photos["fault"].value_counts().to_dict()
    packed, cross_class = faults.pop("", 0), faults.pop("cross_class", 0)
    windows = sum(len(entry.windows) for entry in asked)
    return {
        "windows": windows,
        "bisections": windows - sum(1 for entry in asked if entry.windows),  # each halving adds one window
        "lost_to_cap": sum(window.lost for entry in asked for window in entry.windows),
        "found": len(photos),
        "cross_class_dropped": cross_class,
        "rejected": faults,
        "packed": packed,
    }


def _judged(urls: Sequence[str], files: Mapping[str, File], params: ScrapeParams) -> tuple[str, str, File]:
    decided = settled(urls, files, params)
    assert decided is not None, f"{urls[0]} was not fetched"
    url, file = decided
    if file.status != "ok":
        return url, file.status, file
    return url, "too_small" if min(file.width, file.height) < params.min_side else "", file
