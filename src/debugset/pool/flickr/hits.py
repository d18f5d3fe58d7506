"""Reading the answers of searches as one table of hits, and choosing each photo's file."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from debugset.pool.fault import Fault
from debugset.pool.flickr.search import search_key
from debugset.pool.params import ScrapeParams
from debugset.pool.rights.licences import NONE_STATED
from debugset.pool.sizes import SIZES
from debugset.pool.source import Hit, SearchRecord, hit_table
from debugset.pool.spool import Spool
from debugset.pool.text_search import clean_text
from debugset.pool.windows import Window, upload_time


def tabulate_hits(searches: Sequence[SearchRecord], spool: Spool, params: ScrapeParams) -> pd.DataFrame:
    """The photos that searches found: a table of `Hit`, in the order of the searches.

    Of each query the oldest ``per_query`` are taken; rows from outside their upload window come besides. ``fault``
    says why a photo cannot be taken: ``incomplete`` (it names no owner or upload date), ``outside_window``,
    ``licence``, or as `choose_urls` says.
    """
    hits = []
    for search in searches:
        key = search_key(search.query, params)
        for window in search.windows:
            for photo in spool.photos(key, window.first, window.last) or []:
                hits.append(_read_hit(photo, search, window, params))
    table = hit_table(hits)
    is_extra = (table["fault"] == Fault.OUTSIDE_WINDOW) | (table["uploaded"] == 0)
    inside = table[~is_extra]
    if params.per_query is not None:
        oldest_first = inside.sort_values(["uploaded", "id"], kind="stable")
        inside = oldest_first.groupby("query", sort=False).head(params.per_query)
    rows = pd.concat([inside, table[is_extra]]).drop_duplicates(["query", "id"])
    return rows.sort_index().reset_index(drop=True)


def choose_urls(
    photo: Mapping[str, Any], sizes: Sequence[str], side: int, min_side: int
) -> tuple[tuple[str, ...], str]:
    """The addresses of a photo's file, in the order in which they are to be tried.

    First the smallest size that reaches the wished side, then the larger ones ascending, then the smaller ones
    descending. Of a size of unknown lengths Flickr's longest side counts, for it is the best that can be hoped for.

    Args:
        photo: a photo of a search, with ``url_<size>, width_<size>, height_<size>`` for the sizes that exist.
        sizes: suffixes of the sizes that may be taken.
        side: the wished length of the shorter side, in pixels.
        min_side: the least length of the shorter side, in pixels.

    Returns:
        Addresses and "", or none and the fault: ``no_size`` or ``too_small``.
    """
    lengths: dict[str, int] = {}
    for size in sizes:
        url = photo.get(f"url_{size}")
        if url:
            lengths.setdefault(str(url), _shorter_side(photo, size))
    if not lengths:
        return (), Fault.NO_SIZE
    urls = [url for url in lengths if lengths[url] >= min_side]
    urls.sort(key=lambda url: (lengths[url] < side, abs(lengths[url] - side)))
    return tuple(urls), "" if urls else Fault.TOO_SMALL


def _shorter_side(photo: Mapping[str, Any], size: str) -> int:
    width, height = _whole_number(photo.get(f"width_{size}")), _whole_number(photo.get(f"height_{size}"))
    shorter = min(width, height)
    return shorter if shorter > 0 else SIZES[size].longest


def _read_hit(photo: Mapping[str, Any], search: SearchRecord, window: Window, params: ScrapeParams) -> Hit:
    """A photo as the service sent it, among the results of a search in a window."""
    photo = {name: clean_text(value) if isinstance(value, str) else value for name, value in photo.items()}
    owner, uploaded = str(photo.get("owner") or ""), upload_time(photo) or 0
    licence = _whole_number(photo.get("license"), NONE_STATED)
    urls, fault = choose_urls(photo, params.sizes, params.side, params.min_side)
    fault = params.licence_fault(licence) or fault
    if not window.first <= uploaded <= window.last:
        fault = Fault.OUTSIDE_WINDOW
    if not owner or not uploaded:
        fault = Fault.INCOMPLETE
    return Hit(
        id=str(photo["id"]),
        class_name=search.class_name,
        query=search.query,
        shard=search.shard.name,
        title=str(photo.get("title") or ""),
        tags=str(photo.get("tags") or ""),
        licence=licence,
        owner=owner,
        owner_name=str(photo.get("ownername") or ""),
        uploaded=uploaded,
        page=f"https://www.flickr.com/photos/{owner}/{photo['id']}",
        urls=urls,
        fault=fault,
    )


def _whole_number(value: Any, otherwise: int = 0) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return otherwise
