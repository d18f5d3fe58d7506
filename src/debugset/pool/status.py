"""How far a scrape is, from its spool alone: read while it runs or after it stopped, never changed."""

import csv
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from humanize import naturalsize, precisedelta

from debugset.pool.spool import ADDRESS_COLUMNS, Progress, Spool, is_running, list_spools

_RECENT = 300.0  # seconds: the "last minutes" of a rate
_LAST_PHASE = "packing"
_OF_FILES = ("downloading", "reading")
_BAR = 24  # characters
_NAMED_HOSTS = 5


class State(NamedTuple):
    """What a spool says at a moment.

    Attributes:
        spool: its name.
        size: bytes on the disk.
        running: whether a scrape holds it.
        moment: when it was read; of a stopped scrape when it last said something; unix seconds.
        phases: how far each phase of the last scrape is.
        recent: how many addresses were tried in the `_RECENT` seconds before the moment, by this run's last phase.
        search_waits: when the next search may go out by its rate, and when a pause of searches ends; unix seconds.
        statuses: how many addresses ended in each status, the most frequent first.
        waiting: host -> how many of its addresses failed and wait for the next try, the most first.
    """

    spool: str
    size: int
    running: bool
    moment: float
    phases: list[Progress]
    recent: int
    search_waits: tuple[float, float]
    statuses: Mapping[str, int]
    waiting: Mapping[str, int]


def give_up(path: Path) -> dict[str, int]:
    """Let all files of a spool that failed be unreachable for good; how many those were, by how they failed.

    Raises ValueError if a scrape is running on it.
    """
    if is_running(path):
        raise ValueError(f"{path}: a scrape is running on this spool; wait for its end or stop it, then run again")
    with Spool(path) as spool, spool.lock():
        return spool.give_up()


def choose(folder: Path, name: str | None = None) -> Path:
    """The spool in the spool folder whose file name without ``.sqlite`` is ``name``, else the one used last.

    Raises ValueError if there is none.
    """
    paths = list_spools(folder)
    if not paths:
        raise ValueError(f"{folder / 'scrape'}: no scrape has run yet; start one by `dvc repro scrape`")
    for path in paths:
        if name in (None, path.stem):
            return path
    names = ", ".join(path.stem for path in paths)
    raise ValueError(f"--spool: {folder / 'scrape'} holds no spool {name!r}; choose from {names}")


def read(path: Path, now: float) -> State:
    """What the spool at ``path`` says. Raises OSError if it cannot be read."""
    alive = is_running(path)
    with Spool(path, read_only=True) as spool:
        phases = spool.progress()
        moment = now if alive or not phases else max(phase.updated for phase in phases)
        recent = spool.count_tried_since(moment - _recent_seconds(phases, moment))
        waits = spool.turn("calls")
        statuses = spool.statuses()
        waiting = spool.failed_hosts()
    return State(path.stem, _size(path), alive, moment, phases, recent, waits, statuses, waiting)


def write_table(path: Path, table: Path) -> int:
    """Write what became of every address as CSV, ``tried`` as ISO 8601 in UTC; returns how many there are."""
    rows = 0
    with Spool(path, read_only=True) as spool, table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(ADDRESS_COLUMNS)
        for *columns, tried in spool.addresses():
            writer.writerow([*columns, _iso(tried)])
            rows += 1
    return rows


def describe(state: State) -> str:
    """The state in a few lines, for a person."""
    stopped = "finished" if _is_finished(state) else "stopped"
    rows = [("running" if state.running else stopped, f"{state.spool}, {naturalsize(state.size)}")]
    if not state.phases:
        rows.append(("", "no phase has begun"))
    for phase in state.phases:
        rows.append((phase.phase, _describe_phase(phase, state)))
    recent = recent_rate(state)
    if recent is not None:
        span = _span(_recent_seconds(state.phases, state.moment))
        rows.append(("files", f"{_describe_rate(recent)} in the last {span}"))
    waiting = _describe_wait(state)
    if waiting:
        rows.append(("searches", waiting))
    if state.statuses:
        outcomes = [f"{status.replace('_', ' ')} {count:,}" for status, count in state.statuses.items()]
        rows.append(("outcomes", "; ".join(outcomes)))
    if state.waiting:
        rows.append(("failed", _describe_hosts(state.waiting)))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {text}" for name, text in rows)


def as_json(state: State) -> dict[str, Any]:
    """The state with rates (a second), seconds left and times as ISO 8601, for a program."""
    until = max(state.search_waits)
    phases = []
    for phase in state.phases:
        counts = {"phase": phase.phase, "done": phase.done, "total": phase.total, "before": phase.before}
        phases.append(counts | {"rate": rate(phase, state), "seconds_left": seconds_left(phase, state)})
    return {
        "spool": state.spool,
        "bytes": state.size,
        "running": state.running,
        "finished": _is_finished(state),
        "moment": _iso(state.moment),
        "phases": phases,
        "recent_rate": recent_rate(state),
        "searches_wait_until": _iso(until) if state.running and until > state.moment else None,
        "statuses": dict(state.statuses),
        "waiting": dict(state.waiting),
    }


def rate(phase: Progress, state: State) -> float | None:
    """How much of a phase this run does a second, or None if it did nothing; earlier runs' work does not count."""
    end = state.moment if phase.done < phase.total else phase.updated
    done_by_this_run = phase.done - phase.before
    if done_by_this_run <= 0 or end <= phase.started:
        return None
    return done_by_this_run / (end - phase.started)


def seconds_left(phase: Progress, state: State) -> float | None:
    """How long a phase still takes at this run's rate, or None if that is unknown."""
    if phase.done >= phase.total:
        return 0.0
    speed = rate(phase, state)
    return (phase.total - phase.done) / speed if speed else None


def recent_rate(state: State) -> float | None:
    """How many addresses were tried a second in the last minutes, or None if files were not being fetched."""
    last = state.phases[-1] if state.phases else None
    if last is None or last.phase not in _OF_FILES or last.done >= last.total:
        return None
    return state.recent / max(1.0, _recent_seconds(state.phases, state.moment))


def _recent_seconds(phases: Sequence[Progress], moment: float) -> float:
    return min(_RECENT, moment - phases[-1].started) if phases else _RECENT


def _size(path: Path) -> int:
    size = 0
    for part in path.parent.glob(f"{path.name}*"):  # the file, its log and its log's index
        with suppress(FileNotFoundError):  # a scrape that ends takes its log away
            size += part.stat().st_size
    return size


def _is_finished(state: State) -> bool:
    last = state.phases[-1] if state.phases else None
    return not state.running and last is not None and last.phase == _LAST_PHASE and last.done >= last.total


def _describe_phase(phase: Progress, state: State) -> str:
    share = min(1.0, phase.done / phase.total) if phase.total else 1.0
    bar = "#" * int(share * _BAR)
    text = f"[{bar:.<{_BAR}}] {int(100 * share):3d} %  {phase.done:,} of {phase.total:,}"
    if phase.done >= phase.total:
        return f"{text}, in {_span(phase.updated - phase.started)}"
    speed, left = rate(phase, state), seconds_left(phase, state)
    if not speed or not left:
        return f"{text}, time left unknown"
    return f"{text}, {_describe_rate(speed)}, {_span(left)} left"


def _describe_wait(state: State) -> str:
    by_rate, pause = state.search_waits
    until = max(by_rate, pause)
    if not state.running or until <= state.moment:
        return ""
    reason = "the service asked for a pause" if pause >= by_rate else "so many an hour are allowed"
    return f"wait until {_iso(until)}, {_span(until - state.moment)}: {reason}"


def _describe_hosts(waiting: Mapping[str, int]) -> str:
    """How many files wait for which hosts, the first few by name."""
    named = [f"{host} {count:,}" for host, count in islice(waiting.items(), _NAMED_HOSTS)]
    others = len(waiting) - len(named)
    if others:
        count = sum(islice(waiting.values(), _NAMED_HOSTS, None))
        named.append(f"{others:,} other {'host' if others == 1 else 'hosts'} {count:,}")
    return f"to be asked again, by host: {'; '.join(named)}"


def _describe_rate(per_second: float) -> str:
    if per_second >= 1:
        return f"{per_second:,.1f} a second"
    if per_second * 60 >= 1:
        return f"{per_second * 60:,.1f} a minute"
    return f"{per_second * 3600:,.1f} an hour"


def _span(seconds: float) -> str:
    unit = "seconds" if seconds < 3600 else "minutes"
    return precisedelta(timedelta(seconds=round(seconds)), minimum_unit=unit, format="%.0f")


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
