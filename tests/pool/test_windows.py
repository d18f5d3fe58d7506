import asyncio
from collections import Counter
from datetime import date
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.pool.windows import (
    Page,
    Results,
    Window,
    bisect,
    count_inside,
    ends_window,
    shard_windows,
    take_results,
    upload_time,
    window_of,
)
from tests.pool.worlds import second
from tests.reference.windows import every_photo

LAST = 400
LIES = ["wrong_total", "unstable_order", "repeated_rows", "stray_rows"]


class Liar:
    """A search over upload times that lies as the simulator does: by the window, in another order at every call.

    Of its photos, one in ``hidden`` is counted but never shown.
    """

    def __init__(
        self, uploaded: list[int], cap: int, per_page: int, lies: set[str], rate: float = 1.0, hidden: int = 0
    ) -> None:
        self.photos = [{"id": str(number), "dateupload": str(time)} for number, time in enumerate(sorted(uploaded))]
        self.cap, self.per_page, self.lies, self.rate = cap, per_page, lies, rate
        self.calls: list[tuple[int, int, int]] = []
        self.longest, self.hidden = 0, hidden

    def shows(self, photo: dict) -> bool:
        return not self.hidden or int(photo["id"]) % self.hidden != 1

    def hits(self, lie: str, first: int, last: int) -> bool:
        random = np.random.default_rng([LIES.index(lie), first, last])
        return lie in self.lies and float(random.random()) < self.rate

    def page(self, first: int, last: int, number: int) -> Page:
        self.calls.append((first, last, number))
        rows = [photo for photo in self.photos if first <= int(photo["dateupload"]) <= last]
        total, hits = len(rows), partial(self.hits, first=first, last=last)
        fixed = np.random.default_rng([first, last])
        rows = rows[: self.cap]
        if total and first < last and hits("stray_rows"):
            rows = [*[photo for photo in self.photos if int(photo["dateupload"]) > last][:2], *rows]
        if hits("unstable_order"):
            rows = [rows[place] for place in np.random.default_rng(len(self.calls)).permutation(len(rows))]
        if first < last and hits("repeated_rows"):
            pages = -(-len(rows) // self.per_page)
            rows = [*rows[: int(fixed.integers(1, 4))], *rows][: pages * self.per_page]
        if total and hits("wrong_total"):
            more, fewer = [total + 1, total * 2, total * 10], [max(1, total - 1), max(1, total // 10)]
            total = int(fixed.choice(more if first == last else more + fewer))
        page = min(number, -(-self.cap // self.per_page))
        rows = [row for row in rows[(page - 1) * self.per_page :][: self.per_page] if self.shows(row)]
        self.longest = max(self.longest, len(rows))
        return Page(total, rows)


def search(liar: Liar, first: int, last: int) -> tuple[list[Window], list[dict]]:
    """All windows, and their photos one after another."""
    photos: list[dict] = []

    async def take_one(first: int, last: int) -> Window | None:
        async def ask(number: int) -> Page:
            return liar.page(first, last, number)

        total, rows = await take_results(ask, first, last, liar.cap, liar.per_page, lambda: liar.longest)
        photos.extend(rows or [])
        return None if rows is None else window_of(first, last, total, liar.cap, lambda: rows)

    async def collect() -> list[Window]:
        return [window async for window in bisect(take_one, first, last)]

    return asyncio.run(collect()), photos


# Spread over the window, and many in a few seconds.
UPLOADED = st.tuples(
    st.lists(st.integers(1, LAST), max_size=60), st.lists(st.sampled_from([1, 7, 8, 300, LAST]), max_size=60)
).map(lambda lists: lists[0] + lists[1])


@settings(deadline=None)
@given(UPLOADED, st.integers(1, 20), st.integers(1, 12), st.integers(0, 100), st.sets(st.sampled_from(LIES)))
def test_bisection_finds_every_photo_that_can_be_had(
    uploaded: list[int], cap: int, per_page: int, first: int, lies: set[str]
) -> None:
    liar = Liar(uploaded, cap, per_page, lies)
    windows, photos = search(liar, first, LAST)

    assert (windows[0].first, windows[-1].last) == (first, LAST)
    assert all(before.last + 1 == after.first for before, after in pairwise(windows))
    crowd = Counter(time for time in uploaded if time >= first)
    inside = {photo["id"] for photo in photos if first <= int(photo["dateupload"])}
    assert inside == every_photo(liar.page, first, LAST, cap, per_page)
    assert len(inside) == sum(min(cap, count) for count in crowd.values())
    assert sum(window.photos for window in windows) == len(inside)
    if "wrong_total" not in lies:
        lost = {window.first: window.lost for window in windows if window.lost}
        assert lost == {time: count - cap for time, count in crowd.items() if count > cap}


@settings(deadline=None)
@given(UPLOADED, st.integers(10, 30), st.integers(1, 12), st.integers(11, 30))
def test_photos_that_are_counted_and_never_shown_hide_no_others(
    uploaded: list[int], cap: int, per_page: int, hidden: int
) -> None:
    liar = Liar(uploaded, cap, per_page, set(), hidden=hidden)
    windows, photos = search(liar, 0, LAST)
    let_out = {time: [photo for photo in liar.photos if int(photo["dateupload"]) == time][:cap] for time in uploaded}
    seen = {time: [photo["id"] for photo in some if liar.shows(photo)] for time, some in let_out.items()}
    assert sorted(photo["id"] for photo in photos) == sorted(name for names in seen.values() for name in names)
    assert sum(window.photos for window in windows) == len(photos)
    # Where more than a tenth of what the cap lets out is never shown, nothing tells that it was reached.
    crowd = {time: count for time, count in Counter(uploaded).items() if count > cap and len(seen[time]) >= 0.9 * cap}
    assert {window.first: window.lost for window in windows if window.lost} == {
        time: count - cap for time, count in crowd.items()
    }


@settings(deadline=None, max_examples=50)
@given(UPLOADED, st.integers(1, 20), st.integers(1, 12), st.sets(st.sampled_from(LIES), min_size=1))
def test_the_same_answers_lead_to_the_same_windows_in_whatever_order_they_come(
    uploaded: list[int], cap: int, per_page: int, lies: set[str]
) -> None:
    liar = Liar(uploaded, cap, per_page, lies, rate=0.5)
    assert search(liar, 0, LAST) == search(liar, 0, LAST)  # the second time in other orders


def test_a_search_that_a_page_holds_is_asked_once() -> None:
    liar = Liar([1, 50, 90], 10, 5, set())
    windows, photos = search(liar, 0, LAST)
    assert windows == [Window(0, LAST, 3, 0)]
    assert [photo["id"] for photo in photos] == ["0", "1", "2"]
    assert liar.calls == [(0, LAST, 1)]


@pytest.mark.parametrize(
    ("total", "rows", "whole"),
    [
        (3, "abc", True),
        (0, "", True),
        (4, "abcd", False),  # full
        (9, "abc", False),  # more than a page holds
        (2, "abc", False),  # more than it says
        (4, "aab", False),  # what came twice may have pushed others off
        (2, "aab", True),  # but there are no others
        (3, "xabc", False),  # full, x from elsewhere
        (2, "xab", True),
        (1, "x", True),  # gives nothing for what it counts: there is none
    ],
)
def test_which_pages_give_all_of_a_window(total: int, rows: str, whole: bool) -> None:
    page = Page(total, [{"id": row, "dateupload": "99" if row == "x" else 5} for row in rows])

    async def ask(number: int) -> Page:
        return page

    results = asyncio.run(take_results(ask, 0, 9, 100, 4))
    if whole:
        assert results.photos is not None
        assert [photo["id"] for photo in results.photos] == sorted(set(rows))
        assert results.total == len(set(rows) - {"x"})
    else:
        assert results == Results(total, None)


def test_a_crowded_second_is_asked_until_nothing_new_comes() -> None:
    pages = {1: ["ab", "ab", "cd", "ab", "ab"], 2: ["cd", "c", "ea", "f"], 3: ["e", "", "b", ""]}

    async def ask(number: int) -> Page:
        rows = pages[number].pop(0) if pages.get(number) else ""
        return Page(7, [{"id": row, "dateupload": 5} for row in rows])

    results = asyncio.run(take_results(ask, 5, 5, 6, 2))
    assert results.photos is not None
    assert [photo["id"] for photo in results.photos] == list("abcdef")
    assert window_of(5, 5, results.total, 6, lambda: results.photos) == Window(5, 5, 6, 1)


@pytest.mark.parametrize("lies", [set(), {"unstable_order", "repeated_rows", "stray_rows"}])
def test_photos_that_nobody_may_see_do_not_hide_what_is_out_of_reach(lies: set[str]) -> None:
    windows, _ = search(Liar([7] * 50 + [300], 30, 12, lies, hidden=20), 0, LAST)
    assert [window for window in windows if window.lost] == [Window(7, 7, 28, 20)]


def test_a_page_too_small_for_a_second_is_not_all_of_it_though_it_seems_so() -> None:
    liar = Liar([7] * 52 + [9] * 50, 100, 50, set(), hidden=60)
    windows, _ = search(liar, 0, LAST)  # of the first page of second 7, one is missing and 49 are shown
    assert sum(window.photos for window in windows) == 100


@pytest.mark.parametrize(
    ("photo", "time"),
    [({"dateupload": "12"}, 12), ({"dateupload": 12}, 12), ({}, None), ({"dateupload": ""}, None)]
    + [({"dateupload": wrong}, None) for wrong in (None, "soon", [], "0")],
)
def test_upload_time(photo: dict, time: int | None) -> None:
    assert upload_time(photo) == time


def test_rows_that_lack_their_id_or_time_are_not_counted() -> None:
    rows = [{"id": "a", "dateupload": 5}, {"dateupload": 5}, {"id": "b"}, {"id": "a", "dateupload": "5"}]
    assert count_inside(rows, 0, 9) == 1


def test_shard_windows_cover_the_calendar_without_gap() -> None:
    months = shard_windows(date(2019, 12, 15), date(2020, 2, 29), "month")
    assert [window.name for window in months] == ["2019-12", "2020-01", "2020-02"]
    assert months[0].first == second(2019, 12, 15)
    assert [window.last + 1 for window in months] == [second(2020, 1), second(2020, 2), second(2020, 3)]
    assert [window.first for window in months[1:]] == [second(2020, 1), second(2020, 2)]
    years = shard_windows(date(2018, 1, 1), date(2019, 12, 31), "year")
    assert years == [("2018", second(2018), second(2019) - 1), ("2019", second(2019), second(2020) - 1)]


def test_the_shards_of_a_snapshot_stay_for_a_later_one() -> None:
    since = date(2018, 1, 1)
    earlier, later = (shard_windows(since, date(year, 12, 31), "year") for year in (2019, 2020))
    assert later[: len(earlier)] == earlier


def test_ends_window() -> None:
    assert ends_window(date(2020, 2, 29), "month")
    assert not ends_window(date(2020, 2, 28), "month")
    assert ends_window(date(2020, 12, 31), "year")
    assert not ends_window(date(2020, 11, 30), "year")


class Short:
    """A service whose pages hold fewer photos than they are asked for."""

    def __init__(self, uploaded: list[int], longest: int, empty_at_first: bool = False) -> None:
        self.uploaded, self.longest, self.bad_moment = uploaded, longest, empty_at_first
        self.asked: list[tuple[int, int, int]] = []
        self.sent = 0

    async def page(self, first: int, last: int, number: int) -> Page:
        self.asked.append((first, last, number))
        rows = [{"id": str(n), "dateupload": at} for n, at in enumerate(self.uploaded) if first <= at <= last]
        shown = rows[(number - 1) * self.longest : number * self.longest]
        if self.bad_moment:
            self.bad_moment, shown = False, []
        self.sent = max(self.sent, len(shown))
        return Page(len(rows), shown)

    def find(self, first: int, last: int) -> set[str]:
        photos: set[str] = set()

        async def take_one(first: int, last: int) -> Window | None:
            total, rows = await take_results(partial(self.page, first, last), first, last, 100, 50, lambda: self.sent)
            photos.update(row["id"] for row in rows or [])
            return None if rows is None else window_of(first, last, total, 100, lambda: rows)

        async def collect() -> None:
            async for _ in bisect(take_one, first, last):
                pass

        asyncio.run(collect())
        return photos


def test_pages_shorter_than_asked_for_lose_nothing() -> None:
    service = Short(list(range(100, 140)), longest=15)
    assert service.find(0, 1000) == {str(n) for n in range(40)}


def test_pages_that_are_only_a_little_short_lose_nothing() -> None:
    service = Short(list(range(100, 121)), longest=20)
    assert service.find(0, 1000) == {str(n) for n in range(21)}


def test_a_page_shorter_than_the_service_can_send_is_not_doubted_for_a_few_that_nobody_may_see() -> None:
    service = Short([*range(100, 140), *range(600, 620)], longest=50)
    shown = service.page

    async def page(first: int, last: int, number: int) -> Page:
        whole = await shown(first, last, number)
        return Page(whole.total, [row for row in whole.photos if row["id"] != "45"])

    service.page = page
    assert service.find(0, 1000) == {str(n) for n in range(60) if n != 45}
    # 60 are too many for a page, which shows how long a page can be; then 39 of 40 are no reason for doubt
    assert service.asked == [(0, 1000, 1), (0, 500, 1), (501, 1000, 1)]


def test_a_crowded_second_with_short_pages_loses_nothing() -> None:
    service = Short([7] * 90, longest=40)
    assert service.find(7, 7) == {str(n) for n in range(90)}


def test_a_bad_moment_is_asked_about_again() -> None:
    service = Short(list(range(100, 130)), longest=50, empty_at_first=True)
    assert service.find(0, 1000) == {str(n) for n in range(30)}


def test_a_window_of_which_some_are_never_shown_is_taken_after_two_more_calls() -> None:
    service = Short(list(range(100, 130)), longest=50)
    hidden = {str(n) for n in range(10)}
    shown = service.page

    async def page(first: int, last: int, number: int) -> Page:
        whole = await shown(first, last, number)
        return Page(whole.total, [row for row in whole.photos if row["id"] not in hidden])

    service.page = page
    assert service.find(0, 1000) == {str(n) for n in range(10, 30)}
    assert len(service.asked) == 3
