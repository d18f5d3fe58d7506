from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from debugset.pool.flickr.hits import choose_urls, tabulate_hits
from debugset.pool.flickr.search import search_key
from debugset.pool.params import ScrapeParams
from debugset.pool.rights.licences import NONE_STATED
from debugset.pool.source import SearchRecord
from debugset.pool.spool import Spool
from debugset.pool.windows import ShardWindow, Window
from tests.pool.flickr.photos import photo
from tests.pool.worlds import scrape_params

PHOTO = {
    "url_o": "original",
    "width_o": "900",
    "height_o": 700,
    "url_n": "small",
    "width_n": 320,
    "height_n": 240,
    "url_z": "unmeasured",
    "url_q": "",
}


@pytest.mark.parametrize(
    ("sizes", "side", "min_side", "urls"),
    [
        (["o", "z", "n"], 200, 100, ["small", "unmeasured", "original"]),  # the smallest that reaches the side first
        (["o", "z", "n"], 300, 100, ["unmeasured", "original", "small"]),  # of unknown lengths: Flickr's longest side
        (["n", "z", "o"], 660, 100, ["original", "unmeasured", "small"]),  # the shorter side counts
        (["n", "z", "o"], 9000, 100, ["original", "unmeasured", "small"]),  # none reaches it: descending
        (["n", "z", "o"], 9000, 300, ["original", "unmeasured"]),
        (["o"], 700, 700, ["original"]),
        (["n", "z"], 100, 9000, "too_small"),
        (["k", "q"], 100, 1, "no_size"),
        (["n", "o", "n"], 100, 100, ["small", "original"]),
    ],
)
def test_sizes_are_tried_in_the_order_of_the_wish(
    sizes: list[str], side: int, min_side: int, urls: list[str] | str
) -> None:
    expected = ((), urls) if isinstance(urls, str) else (tuple(urls), "")
    assert choose_urls(PHOTO, sizes, side, min_side) == expected


def test_an_original_of_unknown_lengths_is_the_largest() -> None:
    photo = {"url_o": "original", "url_k": "large", "url_z": "medium"}
    assert choose_urls(photo, ["o", "k", "z"], 1000, 100)[0] == ("large", "original", "medium")


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool.sqlite") as spool:
        yield spool


def table(spool: Spool, rows: list[dict[str, Any]], params: ScrapeParams, window: Window) -> dict[str, str]:
    """The faults of rows that one search gave, by photo id."""
    key = search_key("x", params)
    spool.save_photos(key, window.first, window.last, window.photos, rows)
    searches = [SearchRecord("bag", "x", ShardWindow("2018", window.first, window.last), [window])]
    hits = tabulate_hits(searches, spool, params)
    return dict(zip(hits["id"], hits["fault"], strict=True))


def test_why_a_photo_cannot_be_taken(spool: Spool) -> None:
    rows = [
        photo("good", 10),
        photo("late", 21),
        photo("copyright", 10, license="0"),
        photo("unlicensed", 10, license=None),
        photo("tiny", 10, width_o=3),
        photo("bare", 10, url_o=None),
        photo("nobody's", 10, owner=""),
        photo("timeless", 10, dateupload=None),
        {"id": "nothing"},
    ]
    faults = table(spool, rows, scrape_params(licences=[4]), Window(10, 20, 9, 0))
    assert faults == {
        "good": "",
        "late": "outside_window",
        "copyright": "licence",
        "unlicensed": "licence",
        "tiny": "too_small",
        "bare": "no_size",
        "nobody's": "incomplete",
        "timeless": "incomplete",
        "nothing": "incomplete",
    }
    assert table(spool, rows, scrape_params(licences=[4, "unknown"]), Window(10, 20, 9, 0))["unlicensed"] == ""


def test_a_row_tells_all_there_is_to_credit(spool: Spool) -> None:
    spool.save_photos(search_key("x", scrape_params()), 0, 20, 2, [photo("7", 10), {"id": "8", "dateupload": 11}])
    searches = [SearchRecord("bag", "x", ShardWindow("2018", 0, 20), [Window(0, 20, 2, 0)])]
    photos = tabulate_hits(searches, spool, scrape_params())
    told, silent = photos.to_dict("records")
    assert told == {
        **{"id": "7", "class_name": "bag", "query": "x", "shard": "2018", "title": "t", "tags": "a b", "licence": 4},
        **{"owner": "1@N00", "owner_name": "Ann", "uploaded": 10, "page": "https://www.flickr.com/photos/1@N00/7"},
        **{"urls": ("7",), "fault": ""},
    }
    assert (silent["licence"], silent["urls"], silent["uploaded"]) == (NONE_STATED, (), 11)


def test_the_oldest_inside_their_windows_count(spool: Spool) -> None:
    rows = [photo("stray", 99), photo("c", 12), photo("a", 11), photo("b", 11), photo("timeless", 0)]
    faults = table(spool, rows, scrape_params(per_query=2), Window(10, 20, 3, 0))
    assert set(faults) == {"stray", "a", "b", "timeless"}


def test_a_photo_that_came_in_two_windows_of_a_query_is_one_row(spool: Spool) -> None:
    params, early, late = scrape_params(), Window(0, 9, 1, 0), Window(10, 20, 1, 0)
    for window in (early, late):
        spool.save_photos(search_key("x", params), window.first, window.last, 1, [photo("7", 12), photo("8", 30)])
    shards = [
        SearchRecord("bag", "x", ShardWindow(f"{one.first}", one.first, one.last), [one]) for one in (early, late)
    ]
    photos = tabulate_hits(shards, spool, params)
    assert photos[["id", "shard", "fault"]].to_numpy().tolist() == [["8", "0", "outside_window"], ["7", "10", ""]]
