import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from debugset.pool.windows import Window, bisect, ends_window, shard_windows
from tests.pool.worlds import second


def all_windows(count: Callable[[int, int], Awaitable[int]], first: int, last: int, cap: int) -> list[Window]:
    async def collect() -> list[Window]:
        return [window async for window in bisect(count, first, last, cap)]

    return asyncio.run(collect())


@given(st.lists(st.integers(0, 300), max_size=200), st.integers(1, 20), st.integers(0, 100))
def test_bisection_finds_every_photo_that_can_be_had(uploaded: list[int], cap: int, first: int) -> None:
    async def count(first: int, last: int) -> int:
        return sum(first <= time <= last for time in uploaded)

    windows = all_windows(count, first, 300, cap)

    assert windows[0].first == first
    assert windows[-1].last == 300
    assert all(before.last + 1 == after.first for before, after in pairwise(windows))
    assert sum(window.total for window in windows) == sum(time >= first for time in uploaded)
    assert all(window.total < cap or window.first == window.last for window in windows)
    for window in windows:
        inside = sum(window.first <= time <= window.last for time in uploaded)
        assert window.lost == max(0, inside - cap)  # nothing is lost but in single seconds over the cap


def test_a_window_below_the_cap_is_asked_once() -> None:
    asked = []

    async def count(first: int, last: int) -> int:
        asked.append((first, last))
        return 9

    assert len(all_windows(count, 0, 1000, 10)) == 1
    assert asked == [(0, 1000)]


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
