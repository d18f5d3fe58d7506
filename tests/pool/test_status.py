"""What `debugset pool status` says of spools in every state, and that it leaves them as they are."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import debugset.cli.pool
from debugset.cli.__main__ import main
from debugset.pool.spool import File, Progress, Spool
from debugset.pool.status import (
    State,
    as_json,
    choose,
    describe,
    give_up,
    rate,
    read,
    recent_rate,
    seconds_left,
    write_table,
)

NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z
SEARCHED = Progress("searching", NOON - 900, NOON - 300, 0, 40, 40)
DOWNLOADING = Progress("downloading", NOON - 100, NOON - 1, 500, 700, 1500)
OUTCOMES = {"ok": 12_345, "too_large": 2}
STATE = State("flickr", 1_234_567, True, NOON, [SEARCHED, DOWNLOADING], 250, (0.0, 0.0), OUTCOMES, {})


def lines(state: State) -> dict[str, str]:
    """The described lines by their first word."""
    return dict(line.split(maxsplit=1) for line in describe(state).splitlines())


def test_a_running_scrape_is_described_by_this_runs_own_rate() -> None:
    told = lines(STATE)
    assert told["running"] == "flickr, 1.2 MB"
    assert told["searching"] == f"[{'#' * 24}] 100 %  40 of 40, in 10 minutes"
    # 200 of this run in 100 s: the 500 that earlier runs did are no pace
    assert (
        told["downloading"]
        == f"[{'#' * 11}{'.' * 13}]  46 %  700 of 1,500, 2.0 a second, 6 minutes and 40 seconds left"
    )
    assert told["files"] == "2.5 a second in the last 1 minute and 40 seconds"  # when the phase began
    assert told["outcomes"] == "ok 12,345; too large 2"
    assert "searches" not in told
    assert "failed" not in told


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        (1, "h0 1,000"),
        (5, "h0 1,000; h1 999; h2 998; h3 997; h4 996"),
        (6, "h0 1,000; h1 999; h2 998; h3 997; h4 996; 1 other host 995"),
        (7, "h0 1,000; h1 999; h2 998; h3 997; h4 996; 2 other hosts 1,989"),
    ],
)
def test_the_hosts_that_photos_wait_for_are_named(hosts: int, told: str) -> None:
    state = STATE._replace(waiting={f"h{number}": 1000 - number for number in range(hosts)})
    assert lines(state)["failed"] == f"to be asked again, by host: {told}"
    assert as_json(state)["waiting"] == state.waiting


def test_a_stall_shows_in_the_rate_of_the_last_minutes() -> None:
    begun = DOWNLOADING._replace(started=NOON - 1000)
    stalled = STATE._replace(phases=[SEARCHED, begun], recent=0)
    assert recent_rate(stalled) == 0
    assert rate(begun, stalled) == pytest.approx(0.2)
    assert seconds_left(begun, stalled) == pytest.approx(4000)
    assert recent_rate(stalled._replace(recent=600)) == pytest.approx(2)


def test_without_progress_of_its_own_nothing_is_promised() -> None:
    fresh = STATE._replace(phases=[DOWNLOADING._replace(done=500)])
    assert lines(fresh)["downloading"].endswith("33 %  500 of 1,500, time left unknown")
    assert seconds_left(fresh.phases[0], fresh) is None
    assert describe(STATE._replace(phases=[], statuses={})).splitlines()[1].strip() == "no phase has begun"


def test_a_phase_with_nothing_to_do_is_done() -> None:
    nothing = Progress("downloading", NOON, NOON, 0, 0, 0)
    assert "100 %  0 of 0" in lines(STATE._replace(phases=[nothing]))["downloading"]


@pytest.mark.parametrize(
    ("waits", "told"),
    [
        ((NOON + 30, 0.0), "wait until 2026-01-01T12:00:30Z, 30 seconds: so many an hour are allowed"),
        (
            (NOON + 1, NOON + 5400),
            "wait until 2026-01-01T13:30:00Z, 1 hour and 30 minutes: the service asked for a pause",
        ),
    ],
)
def test_searches_that_wait_say_until_when_and_why(waits: tuple[float, float], told: str) -> None:
    waiting = STATE._replace(search_waits=waits)
    assert lines(waiting)["searches"] == told
    assert as_json(waiting)["searches_wait_until"] == told.split()[2].rstrip(",")
    assert "searches" not in lines(waiting._replace(running=False))


def test_stopped_and_finished_are_told_apart() -> None:
    packed = Progress("packing", NOON, NOON + 9, 0, 7, 7)
    downloaded = DOWNLOADING._replace(done=1500)
    assert "stopped" in lines(STATE._replace(running=False))
    assert "stopped" in lines(STATE._replace(running=False, phases=[SEARCHED, downloaded]))
    assert "stopped" in lines(STATE._replace(running=False, phases=[packed._replace(done=6)]))
    assert "finished" in lines(STATE._replace(running=False, phases=[SEARCHED, downloaded, packed]))
    assert "running" in lines(STATE._replace(phases=[SEARCHED, downloaded, packed]))


def test_json_holds_the_same_numbers() -> None:
    told = as_json(STATE)
    assert told["phases"][1] == {
        "phase": "downloading", "done": 700, "total": 1500, "before": 500, "rate": 2.0, "seconds_left": 400.0
    }  # fmt: skip
    assert (told["running"], told["finished"], told["bytes"]) == (True, False, 1_234_567)
    assert (told["moment"], told["recent_rate"]) == ("2026-01-01T12:00:00Z", 2.5)
    assert told["statuses"] == {"ok": 12_345, "too_large": 2}


SCRAPE = """
import sys
from pathlib import Path
from debugset.pool.spool import File, Progress, Spool
with Spool(Path(sys.argv[1])) as spool, spool.lock():
    spool.save_progress(Progress("downloading", 100.0, 200.0, 0, 1, 2))
    spool.save_turn("calls", 1005.0, 6.0)
    spool.save_file("https://a/1,2", "1", File("ok", 3, 2, 700, "png", "ab12", bytes(50_000)), 2)
    print("ready", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def scrape(tmp_path: Path) -> subprocess.Popen:
    """Another process that holds a spool whose answers are still in the log."""
    path = tmp_path / ".spool" / "scrape" / "flickr.sqlite"
    command = [sys.executable, "-c", SCRAPE, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": "src"})
    assert process.stdout and process.stdout.readline() == b"ready\n"
    yield process
    process.kill()
    process.communicate()


def contents(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder, but the log's index: shared memory in which readers note where they are."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".sqlite-shm"}


def test_a_spool_is_read_and_left_as_it_is_while_a_scrape_runs_and_after(
    tmp_path: Path, scrape: subprocess.Popen, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = choose(tmp_path / ".spool")
    before = contents(path.parent)
    state = read(path, now=300.0)
    assert (state.spool, state.running, state.moment) == ("flickr", True, 300.0)
    assert state.phases == [Progress("downloading", 100.0, 200.0, 0, 1, 2)]
    assert (state.recent, state.statuses, state.waiting) == (1, {"ok": 1}, {})
    assert state.search_waits == (1005.0, 6.0)
    assert state.size > 50_000
    scrape.kill()  # its answers stay in the log
    scrape.communicate()
    stopped = read(path, now=300.0)
    assert stopped == state._replace(running=False, moment=200.0, size=stopped.size)
    assert contents(path.parent) == before
    Spool(path).__exit__()  # folds the log into the file
    before = contents(path.parent)
    assert list(before) == ["flickr.sqlite"] or set(before) == {"flickr.sqlite", "flickr.lock"}
    assert read(path, now=300.0).statuses == {"ok": 1}
    assert contents(path.parent) == before


def test_a_read_only_spool_cannot_be_written_nor_made(tmp_path: Path) -> None:
    path = tmp_path / "a 100 % spool?.sqlite"
    with pytest.raises(OSError, match="unable to open"):
        Spool(path, read_only=True)
    assert not list(tmp_path.iterdir())
    with Spool(path) as spool:
        spool.save_file("u", "1", File("ok"))
    with Spool(path, read_only=True) as spool, pytest.raises(OSError, match="readonly"):
        spool.save_file("u", "1", File("gone"))


def test_what_an_earlier_run_fetched_is_no_recent_work(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.sqlite") as spool:
        for number, tried in enumerate([NOON - 200, NOON - 50, NOON - 1]):
            spool.save_file(f"u{number}", str(number), File("ok"))
            spool._change("UPDATE files SET tried = ? WHERE url = ?", tried, f"u{number}")
        spool.save_progress(DOWNLOADING)
    state = read(tmp_path / "spool.sqlite", now=NOON)
    assert state.recent == 2
    assert state.moment == DOWNLOADING.updated


def test_the_table_has_a_row_an_address(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    with Spool(path) as spool:
        spool.save_file("https://a/1,2", "1", File("ok", 3, 2, 700, "png", "ab12", b"bytes"), attempts=2)
        spool.save_file("https://a/2", "2", File("gone"))
        spool._change("UPDATE files SET tried = ?", NOON + 0.9)
    assert write_table(path, tmp_path / "urls.csv") == 2
    with (tmp_path / "urls.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "photo": "1", "url": "https://a/1,2", "status": "ok", "width": "3", "height": "2", "size": "700",
        "attempts": "2", "tried": "2026-01-01T12:00:00Z",
    }  # fmt: skip
    assert rows[1]["status"] == "gone"


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """Run `debugset pool status` in a folder of its own."""
    monkeypatch.delenv("DEBUGSET_SPOOL", raising=False)

    def run(*arguments: str) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["debugset", "pool", "status", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return capsys.readouterr().out if end.value.code == 0 else str(end.value.code)

    return run


def test_without_a_spool_one_line_says_so(command, tmp_path: Path) -> None:
    assert command() == "error: .spool/scrape: no scrape has run yet; start one by `dvc repro scrape`"
    assert not list(tmp_path.iterdir())


def test_the_command_tells_of_the_spool_used_last_or_of_the_named_one(command, tmp_path: Path, scrape) -> None:
    other = tmp_path / ".spool" / "scrape" / "other.sqlite"
    Spool(other).__exit__()
    os.utime(other, (1, 1))
    assert command().startswith("running      flickr, ")
    assert "other" in command("--spool", "other").splitlines()[0]
    assert "choose from flickr, other" in command("--spool", "elsewhere")
    assert json.loads(command("--json", "--urls", "urls.csv"))["running"] is True
    assert "https://a/1,2" in (tmp_path / "urls.csv").read_text()


def test_watching_ends_with_the_scrape(command, scrape, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            scrape.kill()
            scrape.communicate()

    monkeypatch.setattr("time.sleep", sleep)
    told = [json.loads(line)["running"] for line in command("--watch", "--json").splitlines()]
    assert told == [True, True, False]
    assert looks == [debugset.cli.pool.SECONDS_BETWEEN_LOOKS] * 2


def test_giving_up_is_for_what_failed_and_not_while_a_scrape_runs(tmp_path: Path) -> None:
    path = tmp_path / "scrape" / "flickr.sqlite"
    with Spool(path) as spool:
        for url, status in {"a": "ok", "b": "failed: HTTP 503", "c": "gone"}.items():
            spool.save_file(url, url, File(status))
        with spool.lock(), pytest.raises(ValueError, match=r"flickr.sqlite: a scrape is running"):
            give_up(path)
        assert give_up(path) == {"failed: HTTP 503": 1}
        assert spool.statuses() == {"gone": 1, "ok": 1, "unreachable": 1}
