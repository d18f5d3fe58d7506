import asyncio
from bisect import bisect_right
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.pool.limits import Clock, Turns, full_jitter, rate_and_burst, retry_after
from debugset.pool.spool import Spool

START = 1_700_000_000.0
API = rate_and_burst(3600.0)


class Fake(Clock):
    """A clock that waiting puts forward."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


class Memory(Spool):
    """Keeps turns as a spool does, but no file."""

    def __init__(self) -> None:
        self.saved = (0.0, 0.0)

    def turn(self, name: str) -> tuple[float, float]:
        return self.saved

    def save_turn(self, name: str, next: float, resume: float) -> None:
        self.saved = next, resume


def busiest_hour(calls: list[float]) -> int:
    return max(bisect_right(calls, call + 3600) - place for place, call in enumerate(calls))


# Each arrival: seconds of rest, how many calls then, by how many at a time, and whether the process starts anew.
ARRIVALS = st.tuples(
    st.one_of(st.just(0.0), st.floats(0, 60), st.floats(0, 5000)),
    st.integers(900, 2500),
    st.sampled_from([1, 8]),
    st.booleans(),
)


@settings(deadline=None, max_examples=30)
@given(st.lists(ARRIVALS, min_size=3, max_size=6))
def test_no_hour_sees_more_calls_than_the_limit(arrivals: list[tuple[float, int, int, bool]]) -> None:
    clock, memory, calls = Fake(), Memory(), []

    async def ask(turns: Turns, times: int) -> None:
        for _ in range(times):
            await turns.turn()
            calls.append(clock.now())

    async def run() -> None:
        turns = Turns("calls", *API, clock, memory)
        for rest, times, callers, anew in arrivals:
            clock.time += rest
            if anew:
                turns = Turns("calls", *API, clock, memory)
            await asyncio.gather(*(ask(turns, -(-times // callers)) for _ in range(callers)))

    asyncio.run(run())
    assert calls == sorted(calls)
    assert busiest_hour(calls) <= 3600


def test_a_steady_caller_gets_the_whole_limit() -> None:
    clock, calls = Fake(), []

    async def run() -> None:
        turns = Turns("calls", *API, clock)
        for _ in range(7200):
            await turns.turn()
            calls.append(clock.now())

    asyncio.run(run())
    assert calls[99] == START  # the burst waits for nobody
    assert calls[100] > START
    assert busiest_hour(calls) == 3600


@pytest.mark.parametrize("most", [1, 2, 10, 36, 100, 500, 3600, 100_000])
def test_any_limit_is_kept(most: int) -> None:
    rate, burst = rate_and_burst(float(most))
    assert rate > 0
    assert 1 <= burst <= 100
    assert int(burst + rate) <= most
    assert burst + rate > 0.9 * most - 1  # and hardly less than allowed


def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    clock = Fake()

    def call(times: int) -> float:
        async def run(spool: Spool) -> None:
            turns = Turns("calls", 3600.0, 5, clock, spool)
            for _ in range(times):
                await turns.turn()

        with Spool(tmp_path / "spool.sqlite") as spool:
            asyncio.run(run(spool))
        return clock.now() - START

    assert call(5) == 0
    assert call(1) == pytest.approx(1)
    assert call(2) == pytest.approx(3)
    clock.time += 2
    assert call(3) == pytest.approx(6)  # two of them were saved up


def test_where_only_pauses_are_kept_a_call_writes_nothing(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.sqlite") as spool:
        turns = Turns("host", 3600.0, 1, Fake(), spool, keep_rate=False)
        asyncio.run(turns.turn())
        assert spool.turn("host") == (0.0, 0.0)
        turns.pause(60.0)
        assert spool.turn("host")[1] == START + 60


def test_a_pause_holds_every_caller_and_the_next_run() -> None:
    clock, memory, gone = Fake(), Memory(), []

    async def caller(turns: Turns) -> None:
        await turns.turn()
        gone.append(clock.now() - START)

    async def run(*pauses: float) -> None:
        turns = Turns("calls", 3600.0, 2, clock, memory)
        for pause in pauses:
            turns.pause(pause)
        await asyncio.gather(*(caller(turns) for _ in range(3)))
        turns.pause(200.0)

    asyncio.run(run(100.0, 40.0))  # the longer one holds
    assert gone == pytest.approx([100, 100, 101])
    asyncio.run(run())
    assert gone[3:] == pytest.approx([301, 301, 302])


def test_a_pause_while_somebody_waits_holds_him_too() -> None:
    clock = Fake()

    async def run() -> None:
        turns = Turns("calls", 3600.0, 1, clock)
        await turns.turn()
        waiting = asyncio.create_task(turns.turn())
        await asyncio.sleep(0)
        turns.pause(50.0)
        await waiting

    asyncio.run(run())
    assert clock.now() - START >= 50


def test_the_state_says_when_the_next_call_may_go_out() -> None:
    clock, memory = Fake(), Memory()

    async def run(times: int) -> float:
        turns = Turns("calls", 360.0, 3, clock, memory)
        for _ in range(times):
            await turns.turn()
        return memory.saved[0] - clock.now()

    assert asyncio.run(run(2)) <= 0  # at once
    assert asyncio.run(run(1)) == pytest.approx(10)
    assert asyncio.run(run(1)) == pytest.approx(10)


def test_a_pause_of_more_than_an_hour_ends_the_run_and_says_when_to_run_again() -> None:
    turns = Turns("calls", 3600.0, 1, Fake())
    turns.pause(3600.0)
    until = r"^calls: the service asks for a pause until 2023-11-15 00:14 UTC; run again then[^\n]*$"
    with pytest.raises(OSError, match=until):
        turns.pause(7200.0)  # from 22:13:20


@settings(deadline=None)
@given(st.lists(st.floats(-1e8, 1e8), min_size=1, max_size=20), st.floats(0, 3600))
def test_a_clock_that_is_put_back_locks_nobody_out(jumps: list[float], pause: float) -> None:
    clock = Fake()

    async def run() -> None:
        turns = Turns("calls", 60.0, 3, clock)
        for number, jump in enumerate(jumps):
            for _ in range(5):
                await turns.turn()
            if number == 0:
                turns.pause(pause)
            clock.time += jump
            before = clock.now()
            await turns.turn()
            assert clock.now() - before <= 3600 + 1

    asyncio.run(run())


@pytest.mark.parametrize(("per_hour", "burst"), [(0.0, 1), (-5.0, 1), (10.0, 0), (float("nan"), 1)])
def test_turns_that_never_come_are_refused(per_hour: float, burst: int) -> None:
    with pytest.raises(ValueError, match="turns of x: per_hour must be positive, burst at least 1"):
        Turns("x", per_hour, burst, Fake())


DATES = [
    "Wed, 15 Nov 2023 00:14:20 GMT",
    "Wednesday, 15-Nov-23 00:14:20 GMT",  # RFC 850, obsolete
    "Wed Nov 15 00:14:20 2023",  # asctime, obsolete
    format_datetime(datetime(2023, 11, 15, 0, 14, 20, tzinfo=UTC), usegmt=True),
]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        *[(date, 3660) for date in DATES],
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0),  # is over
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 500, 366 * 24 * 3600),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    now = datetime(2023, 11, 14, 23, 13, 20, tzinfo=UTC).timestamp()
    assert retry_after(value, now) == seconds


def test_full_jitter_spreads_over_a_bound_that_doubles() -> None:
    for attempt, bound in [(1, 1), (2, 2), (4, 8), (7, 60), (99, 60)]:
        drawn = [full_jitter(attempt) for _ in range(400)]
        assert 0 <= min(drawn) < 0.2 * bound
        assert 0.8 * bound < max(drawn) <= bound
