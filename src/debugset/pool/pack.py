"""From what was found and fetched to the pool: pure, so that the same answers give the same bytes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from debugset.files import replacing_folder, write_parquet
from debugset.images.sets import open_set, write_set
from debugset.pool.licences import LICENCES, UNKNOWN
from debugset.pool.search import Asked
from debugset.pool.spool import File

_POOL_COLUMNS = ["title", "tags", "licence", "owner", "owner_name", "uploaded", "url", "query", "page"]


def weakly_labelled(found: pd.DataFrame) -> pd.DataFrame:
    """One row a photo, oldest first, with the class whose queries found it.

    Args:
        found: one row a photo and query, in the order of the queries (`debugset.pool.search.found`).

    Returns:
        The photos; those that queries of more than one class found have the fault ``cross_class``. That
        depends on the photo alone, not on others or the snapshot: a row outside its window does not count.
    """
    stray = found["fault"] == "outside_window"
    inside = found[~stray]
    classes = inside.groupby("id")["class_name"].nunique()
    photos = pd.concat([inside, found[stray & ~found["id"].isin(inside["id"])]]).drop_duplicates("id")
    photos = photos.sort_values(["uploaded", "id"], ignore_index=True)
    photos.loc[photos["id"].map(classes) > 1, "fault"] = "cross_class"
    return photos


def wanted(photos: pd.DataFrame) -> list[str]:
    """The addresses to fetch: those of photos without a fault, oldest first."""
    return photos.loc[photos["fault"] == "", "url"].tolist()


def judged(photos: pd.DataFrame, files: Mapping[str, File], min_side: int) -> pd.DataFrame:
    """The photos with what became of their files.

    Args:
        photos: one row a photo, with ``url`` and ``fault``.
        files: address -> what became of it, for all that were wanted.
        min_side: the least length of the shorter side, in pixels.

    Returns:
        The photos with ``width, height, extension, downloaded`` and a fault for those not to be packed.
    """
    unwanted = File("")
    rows = zip(photos["url"], photos["fault"], strict=True)
    of_photo = [unwanted if fault else files[url] for url, fault in rows]
    columns: dict[str, Any] = {
        name: [getattr(file, name) for file in of_photo] for name in ("width", "height", "extension")
    }
    faults = [_fault(file, min_side) for file in of_photo]
    columns["fault"] = photos["fault"].where(photos["fault"] != "", pd.Series(faults, photos.index, dtype=object))
    columns["downloaded"] = [file.status in ("ok", "undecodable") for file in of_photo]
    return photos.assign(**columns)


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
        content: gives the bytes behind an address.
        classes: the class names that labels index.
        truth: in generated worlds, further columns with the photo id as index, for scoring only.
    """
    packed = photos.loc[photos["fault"] == "", ["id", "shard", "width", "height", "extension", *_POOL_COLUMNS]]
    label = {name: index for index, name in enumerate(classes)}
    packed.insert(1, "label", photos["class_name"].map(label))
    packed["shard"] += ".tar"
    if truth is not None:
        packed = packed.join(truth, on="id", how="inner")

    def records() -> Iterator[tuple[dict[str, Any], bytes]]:
        rows = packed.itertuples(index=False, name=None)
        for row in tqdm(rows, desc="packing", unit="photo", disable=None, total=len(packed)):
            record = dict(zip(packed.columns, row, strict=True))
            yield record, content(record["url"])

    with replacing_folder(folder) as temporary:
        write_set(temporary, records(), classes)


def write_attribution(path: Path, pool: Path) -> None:
    """Write who made each photo of a pool and under which licence."""
    columns = ["id", "title", "owner", "owner_name", "licence", "page", "url", "uploaded", "sha256"]
    photos = open_set(pool).manifest[columns]
    licences = [LICENCES.get(number, UNKNOWN) for number in photos["licence"]]
    place = columns.index("licence") + 1
    photos.insert(place, "licence_name", [licence.name for licence in licences])
    photos.insert(place + 1, "licence_link", [licence.link for licence in licences])
    write_parquet(path, photos)


def report(asked: Sequence[Asked], found: pd.DataFrame, photos: pd.DataFrame) -> dict[str, Any]:
    """The scrape report: what was asked, found, dropped, rejected and packed, for all and by class and query.

    ``windows`` counts the upload windows whose results were taken, ``bisections`` how often one was halved,
    ``lost_to_cap`` the photos of single seconds that the result cap hides. In ``by_class`` a photo that
    several classes found counts for each of them.
    """
    by_class = {}
    for name in dict.fromkeys(entry.class_name for entry in asked):
        rows, own = found[found["class_name"] == name], [entry for entry in asked if entry.class_name == name]
        per_query = rows.groupby("query")["id"].nunique()
        queries = {entry.query: int(per_query.get(entry.query, 0)) for entry in own}
        by_class[name] = _counts(own, photos[photos["id"].isin(rows["id"])]) | {"queries": queries}
    totals = {
        "classes": len(by_class),
        "queries": sum(len(counts["queries"]) for counts in by_class.values()),
    }
    shards = photos.loc[photos["fault"] == "", "shard"].value_counts().to_dict()
    return _counts(asked, photos) | {"asked": totals, "by_class": by_class, "shards": shards}


def _counts(asked: Sequence[Asked], photos: pd.DataFrame) -> dict[str, Any]:
    faults = photos["fault"].value_counts().to_dict()
    packed, cross_class = faults.pop("", 0), faults.pop("cross_class", 0)
    windows = sum(len(entry.windows) for entry in asked)
    return {
        "windows": windows,
        "bisections": windows - len(asked),  # each halving adds one window
        "lost_to_cap": sum(window.lost for entry in asked for window in entry.windows),
        "found": len(photos),
        "cross_class_dropped": cross_class,
        "downloaded": int(photos["downloaded"].sum()),
        "rejected": faults,
        "packed": packed,
    }


def _fault(file: File, min_side: int) -> str:
    if file.status == "ok":
        return "too_small" if min(file.width, file.height) < min_side else ""
    return file.status
