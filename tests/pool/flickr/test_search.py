import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import stamina
from aiohttp import web

from debugset.images.sets import open_set
from debugset.pool.flickr.client import Flickr, Unavailable
from debugset.pool.flickr.photo_service import PhotoService
from debugset.pool.flickr.search import Caller, Search, count_photos, search_key
from debugset.pool.flickr.service import Service
from debugset.pool.hosts import Hosts
from debugset.pool.limits import ATTEMPTS, Turns
from debugset.pool.simulator.library import PhotoLibrary
from debugset.pool.simulator.process import simulator_service
from debugset.pool.source import Findings
from debugset.pool.spool import Spool
from debugset.pool.windows import Page, Window
from tests.pool.flickr.photos import photo
from tests.pool.runs import Rushed
from tests.pool.simulator.faults import Faults
from tests.pool.simulator.faulty_server import faulty_application
from tests.pool.simulator.test_library import naive_search
from tests.pool.worlds import CAP, QUERIES, Requests, scrape_params, second, serving

LIES = ["wrong_total", "unstable_order", "repeated_rows", "stray_rows", "repeated_pages"]
FIRST, LAST = second(2018), second(2020) - 1


class Stub(Flickr):
    """A client whose answers are written out: ``answer(first, last, page)`` gives or raises one."""

    def __init__(self, answer: Callable[[int, int, int], Page]) -> None:
        super().__init__(Service("stub", "http://127.0.0.1:9/", Hosts(), "key", "secret"))
        self.answer = answer
        self.asked: list[tuple[int, int, int]] = []

    def search(self, text: str, licences: Any, first: int, last: int, page: int, per_page: int) -> Page:
        self.asked.append((first, last, page))
        return self.answer(first, last, page)


def caller(client: Flickr, clock: Rushed | None = None, spool: Spool | None = None) -> Caller:
    return Caller(client, Turns("calls", 3600.0, 1000, clock or Rushed(), spool))


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool.sqlite") as spool:
        yield spool


def test_a_search_stops_when_it_has_enough(service: Service, spool: Spool) -> None:
    search = Search("shirt", caller(Flickr(service)), spool, scrape_params())
    every = asyncio.run(search.windows(FIRST, LAST))
    some = asyncio.run(search.windows(FIRST, LAST, 3))
    assert asyncio.run(search.windows(FIRST, LAST, 0)) == []
    assert some == every[: len(some)] != every
    assert count_photos(some[:-1]) < 3 <= count_photos(some)


def test_what_was_decided_stays_decided_whatever_the_service_says_later(spool: Spool) -> None:
    photos = [photo(str(time), time) for time in range(1, 9)]

    def honest(first: int, last: int, page: int) -> Page:
        rows = [row for row in photos if first <= int(row["dateupload"]) <= last]
        return Page(len(rows), rows[:5])

    client = Stub(honest)
    windows = asyncio.run(Search("x", caller(client), spool, scrape_params()).windows(0, 16))
    assert count_photos(windows) == 8
    asked = len(client.asked)
    client.answer = lambda first, last, page: Page(0, [])
    assert asyncio.run(Search("x", caller(client), spool, scrape_params()).windows(0, 16)) == windows
    assert len(client.asked) == asked
    assert search_key("x", scrape_params(per_page=4)) != search_key("x", scrape_params())  # other pages, other halves


def test_photos_out_of_reach_are_still_counted_when_some_were_forgotten(spool: Spool) -> None:
    crowd = [photo(str(number), 5) for number in range(30)]
    client = Stub(lambda first, last, page: Page(30, crowd[:CAP][(page - 1) * 5 : page * 5]))
    search = Search("x", caller(client), spool, scrape_params())
    windows = asyncio.run(search.windows(5, 5))
    assert windows == [Window(5, 5, CAP, 30 - CAP)]
    spool.forget(["3"])
    assert asyncio.run(search.windows(5, 5)) == windows


def test_a_photo_that_nobody_may_see_does_not_hide_what_is_out_of_reach(spool: Spool) -> None:
    crowd = [photo(str(number), 5) for number in range(30)]
    shown = {page: [row for row in crowd[:CAP][(page - 1) * 5 : page * 5] if row["id"] != "3"] for page in range(1, 9)}
    client = Stub(lambda first, last, page: Page(30, shown[page]))
    search = Search("x", caller(client), spool, scrape_params())
    windows = asyncio.run(search.windows(5, 5))
    assert windows == [Window(5, 5, CAP - 1, 30 - CAP)]
    asked = len(client.asked)
    assert asyncio.run(search.windows(5, 5)) == windows  # from the spool
    assert len(client.asked) == asked


def test_a_longer_page_of_any_search_saves_calls_for_pages_that_hold_less_than_they_count(spool: Spool) -> None:
    rows = {"long": [photo(str(number), 5) for number in range(30)], "short": [photo(f"s{n}", 9) for n in range(19)]}
    params, told = scrape_params(per_page=50, result_cap=100), {"long": 30, "short": 20}  # one is never shown
    client = Stub(lambda first, last, page: Page(told[name], rows[name]))
    asking = caller(client)
    for name in ("long", "short"):
        (window,) = asyncio.run(Search(name, asking, spool, params).windows(0, 99))
        assert window.photos == len(rows[name])
    assert len(client.asked) == 2


@pytest.mark.parametrize("answered", [0, 3])
def test_a_service_that_stays_away_ends_the_run_in_one_line(spool: Spool, answered: int) -> None:
    def down(first: int, last: int, page: int) -> Page:
        if len(client.asked) <= answered:
            return Page(99, [])
        raise Unavailable("http://service: HTTP 503")

    client = Stub(down)
    with pytest.raises(OSError, match=r"^http://service: HTTP 503; run again: [^\n]*$") as raised:
        asyncio.run(Search("x", caller(client), spool, scrape_params()).windows(0, 99))
    assert not isinstance(raised.value, Unavailable)
    assert len(client.asked) == answered + 3  # as many attempts as the tests set


def test_many_attempts_are_made(spool: Spool) -> None:
    stamina.set_testing(True, attempts=100, cap=True)

    def down(first: int, last: int, page: int) -> Page:
        raise Unavailable("no")

    client = Stub(down)
    with pytest.raises(OSError, match="no; run again"):
        asyncio.run(Search("x", caller(client), spool, scrape_params()).windows(0, 99))
    assert len(client.asked) == ATTEMPTS > 6


def test_a_refused_call_is_not_tried_again(spool: Spool) -> None:
    def refuse(first: int, last: int, page: int) -> Page:
        raise ValueError("refused")

    client = Stub(refuse)
    with pytest.raises(ValueError, match="refused"):
        asyncio.run(Search("x", caller(client), spool, scrape_params()).windows(0, 99))
    assert len(client.asked) == 1


def test_retry_after_holds_every_search_and_the_next_run(spool: Spool) -> None:
    clock, moments = Rushed(), []

    def throttled(first: int, last: int, page: int) -> Page:
        moments.append(clock.skipped)
        if len(moments) == 1:
            raise Unavailable("HTTP 429", 500.0)
        return Page(0, [])

    asking = caller(Stub(throttled), clock, spool)

    async def both() -> None:
        searches = (Search(text, asking, spool, scrape_params()) for text in "xy")
        await asyncio.gather(*(search.windows(0, 99) for search in searches))

    asyncio.run(both())
    late = [moment for moment in moments if moment > 400]
    assert len(moments) == 3
    assert len(late) >= 1
    assert sum(moment < 400 for moment in moments) <= 2  # the one that was on its way already
    assert spool.turn("calls")[1] > clock.now() - 60


def test_a_service_that_asks_for_more_than_an_hour_ends_the_run_at_once(spool: Spool) -> None:
    def throttled(first: int, last: int, page: int) -> Page:
        raise Unavailable("HTTP 429", 5 * 3600.0)

    client = Stub(throttled)
    with pytest.raises(OSError, match=r"^calls: [^\n]* until \d{4}-\d\d-\d\d \d\d:\d\d UTC; run again then[^\n]*$"):
        asyncio.run(Search("x", caller(client), spool, scrape_params()).windows(0, 99))
    assert len(client.asked) == 1


def find(service: Service, spool: Spool, **changes: object) -> Findings:
    return PhotoService(QUERIES, service, scrape_params(**changes), 4, Rushed()).find(spool)


@contextmanager
def lying(world: Path, requests: Requests, **failing: float) -> Iterator[Service]:
    """A service that lies about every third search, and may fail now and then."""
    app = faulty_application(PhotoLibrary(open_set(world)), CAP, Faults(dict.fromkeys(LIES, 0.3) | failing))
    app.middlewares.append(requests.note)
    with serving(app) as url:
        yield simulator_service(url, world)


def test_every_photo_is_found_whatever_lies_are_told(
    world: Path, requests: Requests, spool: Spool, photos: Any
) -> None:
    with lying(world, requests) as service:
        table, searches = find(service, spool)
    inside = table[table["fault"] != "outside_window"]
    for texts in QUERIES.values():
        for text in texts:
            expected = naive_search(photos, [text.strip('"')], [0, 4, 9], FIRST, LAST)
            assert set(inside.loc[inside["query"] == text, "id"]) == set(expected), text
    assert not table.duplicated(["query", "id"]).any()
    assert sum(window.lost for search in searches for window in search.windows) == 0


@pytest.mark.parametrize("alive", [7, 90])
def test_a_run_that_was_stopped_goes_on_as_it_began(
    world: Path, requests: Requests, tmp_path: Path, alive: int
) -> None:
    stamina.set_testing(True, attempts=6)
    with lying(world, requests) as service, Spool(tmp_path / "whole.sqlite") as whole:
        expected = find(service, whole)
    calls = set(map(asked_for, requests.searches))
    requests.searches.clear()
    requests.before = lambda _: web.Response(status=503) if len(requests.searches) > alive else None
    with lying(world, requests, throttled=0.3, server_error=0.3, dropped=0.3, service_unavailable=0.3) as service:
        with Spool(tmp_path / "stopped.sqlite") as stopped, pytest.raises(OSError, match="run again"):
            find(service, stopped)
        requests.before = None
        with Spool(tmp_path / "stopped.sqlite") as stopped:
            again = find(service, stopped)
    assert again.hits.equals(expected.hits)
    assert again.searches == expected.searches
    assert set(map(asked_for, requests.searches)) == calls


def asked_for(search: dict[str, str]) -> tuple[str, ...]:
    return search["text"], search["min_upload_date"], search["max_upload_date"]


def test_the_spool_says_how_far_the_searching_is(service: Service, spool: Spool) -> None:
    find(service, spool)
    (progress,) = spool.progress()
    assert (progress.phase, progress.done, progress.total) == ("searching", 2 * 5, 2 * 5)  # shards, queries
    assert progress.before == 0


def test_searches_that_an_earlier_run_made_are_no_pace_of_this_one(service: Service, spool: Spool) -> None:
    find(service, spool, snapshot="2018-12-31")
    find(service, spool)
    *_, progress = spool.progress()
    assert (progress.before, progress.done) == (5, 10)


def test_without_a_licence_id_there_is_nothing_to_ask(service: Service, spool: Spool, requests: Requests) -> None:
    with pytest.raises(ValueError, match=r"^scrape.licences: names no licence id.*add ids$"):
        find(service, spool, licences=["unknown"])
    assert requests.searches == []


def test_searches_keep_to_the_services_rate(service: Service, spool: Spool, requests: Requests) -> None:
    clock = Rushed()
    slow = replace(service, calls_per_hour=36.0)
    PhotoService(QUERIES, slow, scrape_params(), 4, clock).find(spool)
    assert clock.skipped > (len(requests.searches) - 2) * 100 > 1000
    assert spool.turn("calls")[0] > clock.now()
