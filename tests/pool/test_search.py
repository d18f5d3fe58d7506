import asyncio
from pathlib import Path

import pytest

from debugset.pool.flickr import Flickr
from debugset.pool.search import Search, choose_size, photos_in
from debugset.pool.service import Service
from debugset.pool.spool import Spool
from tests.pool.worlds import scrape_params, second

PHOTO = {
    "url_o": "original",
    "width_o": "900",
    "height_o": 700,
    "url_n": "small",
    "width_n": 320,
    "height_n": 240,
    "url_z": "unmeasured",
}


@pytest.mark.parametrize(
    ("sizes", "min_side", "chosen"),
    [
        (["n", "o"], 100, ("small", "")),
        (["n", "o"], 300, ("original", "")),  # the shorter side counts
        (["k", "o"], 100, ("original", "")),
        (["z"], 5000, ("unmeasured", "")),  # of unknown length: tried
        (["n", "o"], 701, ("", "too_small")),
        (["k", "h"], 1, ("", "no_size")),
    ],
)
def test_the_first_wished_size_that_is_large_enough(sizes: list[str], min_side: int, chosen: tuple[str, str]) -> None:
    assert choose_size(PHOTO, sizes, min_side) == chosen


def test_a_search_stops_when_it_has_enough(service: Service, tmp_path: Path) -> None:
    first, last = second(2018), second(2020) - 1
    with Spool(tmp_path / "spool.sqlite") as spool:
        search = Search("shirt", Flickr(service), spool, scrape_params())
        every = asyncio.run(search.windows(first, last))
        some = asyncio.run(search.windows(first, last, 3))
        assert asyncio.run(search.windows(first, last, 0)) == []
    assert some == every[: len(some)] != every
    assert photos_in(some[:-1]) < 3 <= photos_in(some)
