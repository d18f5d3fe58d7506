"""When the next call may go out: a rate that holds over restarts, pauses that a service asks for, and back-off."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import stamina

from debugset.pool.spool import Spool

_Answer = TypeVar("_Answer")

_LONGEST_PAUSE = 3600.0  # seconds that a run waits for a service; longer ones end it
ATTEMPTS = 9  # of one call or file: two minutes in the mean, until a run takes it for lost
THROTTLED = 30.0  # seconds that nobody asks a host that says "too many" without saying how long
_HOUR = 3600.0
_YEAR = 366 * 24 * _HOUR


class Clock:
    """The time in unix seconds, and waiting for it; tests put another in its place."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        await asyncio.sleep(seconds)


class Turns:
    """Lets calls go out at a rate, and not before a pause has ended.

    A token bucket kept as one number, when the next call may go out (the generic cell rate algorithm of ITU-T I.371):
    no window of T hours sees more than ``burst + per_hour * T`` calls.

    Args:
        name: whose calls; its state in the spool.
        per_hour: calls an hour in the long run.
        burst: how many may go out at once after a rest.
        clock: what waits go by.
        spool: keeps the state for the next run; without one it is lost.
        keep_rate: whether the spool keeps the rate too, at each call, and not only pauses.
    """

    def __init__(
        self, name: str, per_hour: float, burst: int, clock: Clock, spool: Spool | None = None, keep_rate: bool = True
    ) -> None:
        if not per_hour > 0 or not burst >= 1:
            raise ValueError(f"turns of {name}: per_hour must be positive, burst at least 1 (got {per_hour}, {burst})")
        self._name, self._clock, self._spool, self._keep_rate = name, clock, spool, keep_rate
        self._interval = _HOUR / per_hour
        self._burst = burst
        self._next, self._resume = spool.turn(name) if spool else (0.0, 0.0)
        self._queue = asyncio.Lock()

    async def turn(self) -> None:
        """Wait until one more call may go out; first come, first served."""
        async with self._queue:
            while (wait := self._wait()) > 0:
                await self._clock.sleep(wait)
            saved_up = (self._burst - 1) * self._interval
            self._next = max(self._next, self._clock.now() - saved_up) + self._interval
            if self._keep_rate:
                self._save(self._resume)

    def pause(self, seconds: float) -> None:
        """Let nobody call for so many seconds; of several pauses the one that ends last holds.

        Raises OSError if that is longer than `_LONGEST_PAUSE`; its text says when to run again.
        """
        resume = self._clock.now() + max(0.0, seconds)
        if seconds > _LONGEST_PAUSE:
            self._save(resume)  # for the next run alone: in this one nobody waits so long
            when = datetime.fromtimestamp(math.ceil(resume / 60) * 60, UTC)
            until = f"{self._name}: the service asks for a pause until {when:%Y-%m-%d %H:%M} UTC"
            raise OSError(f"{until}; run again then: what is whole is not asked again")
        self._resume = max(self._resume, resume)
        self._save(self._resume)

    def _wait(self) -> float:
        """Seconds until the next call may go out."""
        now = self._clock.now()
        # Neither can lie further ahead, unless the clock was put back: then nobody waits for the old time.
        self._next = min(self._next, now + self._interval)
        self._resume = min(self._resume, now + _LONGEST_PAUSE)
        return max(self._next, self._resume) - now

    def _save(self, resume: float) -> None:
        if self._spool:
            self._spool.save_turn(self._name, self._next, resume)


async def ask_patiently(ask: Callable[[], Awaitable[_Answer]], transient: type[Exception]) -> tuple[_Answer, int]:
    """Ask until there is an answer, with growing random pauses; the answer, and how often it was asked for.

    Raises:
        Exception: ``transient``, which says that there is no answer for now, after `ATTEMPTS` attempts, some minutes;
            at once whatever else ``ask`` raises.
    """
    attempts = 0

    def pause(error: Exception) -> bool | float:  # seconds until the next attempt; False for none
        return full_jitter(attempts) if isinstance(error, transient) else False

    async for attempt in stamina.retry_context(on=pause, attempts=ATTEMPTS, timeout=None):
        with attempt:
            attempts = attempt.num
            return await ask(), attempts
    raise AssertionError("unreachable")


def rate_and_burst(most: float) -> tuple[float, int]:
    """Calls an hour and calls at once such that no hour ever sees more than ``most`` calls, at least 1.

    3,600 is 3,500 an hour and 100 at once: whoever used the burst and then the rate stays within the limit.
    """
    burst = int(max(1, min(100, most / 36)))  # what 100 seconds bring, at most 100
    return max(most - burst, most / 2), burst


def retry_after(value: str | None, now: float, status: int = 0) -> float | None:
    """How long an answer asks to wait, in seconds; None if it does not say (RFC 9110, 10.2.3).

    Args:
        value: its ``Retry-After`` header: seconds or an HTTP date; None if there was none.
        now: unix seconds.
        status: its HTTP status; "too many requests" without a header means `THROTTLED`.
    """
    text = (value or "").strip()
    if text.isdecimal():
        return min(float(text), _YEAR)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return THROTTLED if status == 429 else None  # too many requests
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, moment.timestamp() - now), _YEAR)


def full_jitter(attempt: int) -> float:
    """Seconds to wait after a failed attempt: anything up to a bound that doubles, so that no two callers agree.

    It is a second after the first attempt, a minute at most.

    Source: "full jitter" of M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return random.uniform(0, min(60, 2 ** (attempt - 1)))
