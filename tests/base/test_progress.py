"""Progress: a log gets few lines that say enough, a terminal a bar."""

import io
import sys

import pytest

from debugset.base.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    """Stands still unless it is moved."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("tqdm.std.time", clock)
    return clock


@pytest.fixture
def log(capsys):
    """The lines that were written to stderr, which is no terminal."""
    return lambda: capsys.readouterr().err.splitlines()


def work(clock, bar, seconds=1.0):
    """Go through all items, each of which takes a while."""
    for _ in bar:
        clock.now += seconds


def test_a_log_gets_a_line_every_half_minute_and_a_last_one(clock, log):
    work(clock, progress(range(3200), "embed: pool", unit="images"), seconds=1 / 32)
    assert log() == [
        "embed: pool: 30 %, 960 of 3200 images, 32.00 images/s, 01:10 left",
        "embed: pool: 60 %, 1920 of 3200 images, 32.00 images/s, 00:40 left",
        "embed: pool: 90 %, 2880 of 3200 images, 32.00 images/s, 00:10 left",
        "embed: pool: 100 %, 3200 of 3200 images, 32.00 images/s, 00:00 left",
    ]


def test_the_last_state_is_not_printed_twice(clock, log):
    work(clock, progress(range(60), "train"))
    assert [line.split(",")[0] for line in log()] == ["train: 50 %", "train: 100 %"]


def test_short_work_needs_no_line(clock, log):
    work(clock, progress(range(29), "train"))
    work(clock, progress([], "train"), seconds=100)
    assert log() == []


def test_a_slow_item_after_many_fast_ones_is_told_too(clock, log):
    bar = progress(what="search", total=10_000, unit="photos")
    for count, seconds in ((9000, 30), (1, 29), (1, 1), (1, 40)):
        clock.now += seconds
        bar.update(count)
        assert bar.miniters == 1  # more, and tqdm's own thread prints whenever it likes
    bar.close()
    assert [line.split(", ")[1] for line in log()] == [
        "9000 of 10000 photos",
        "9002 of 10000 photos",
        "9003 of 10000 photos",
    ]


def test_less_than_one_a_second_is_a_rate_too(clock, log):
    work(clock, progress(range(4), "retrain", unit="models"), seconds=40)
    assert log()[0] == "retrain: 25 %, 1 of 4 models, 0.03 models/s, 02:00 left"


def test_what_was_done_before_does_not_count_for_the_rate(clock, log):
    with progress(what="download", total=100, unit="photos", initial=40) as bar:
        clock.now += 30
        bar.update(30)
    assert log() == ["download: 70 %, 70 of 100 photos, 1.00 photos/s, 00:30 left"]


def test_an_unknown_total_gives_no_share_and_no_time_left(clock, log):
    work(clock, progress(iter(range(31)), "photos", unit="photos"))
    assert log() == ["photos: 30 photos, 1.00 photos/s", "photos: 31 photos, 1.00 photos/s"]


def test_more_than_was_expected_gives_no_share_either(clock, log):
    work(clock, progress(iter(range(30)), "search", total=20))
    assert log() == ["search: 30 items, 1.00 items/s"]


def test_a_note_is_shown_behind_the_numbers(clock, log):
    bar = progress(range(31), "train", unit="steps")
    for step in bar:
        clock.now += 1
        bar.set_postfix(loss=f"{step / 10:.1f}", refresh=False)
    assert [line.rpartition(", ")[2] for line in log()] == ["loss=2.9", "loss=3.0"]


def test_other_devices_print_nothing(clock, log):
    work(clock, progress(range(100), "train", disable=True))
    assert log() == []


def test_a_terminal_gets_a_bar(clock, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    work(clock, progress(range(4), "train", unit="steps"))
    drawn = terminal.getvalue().split("\r")
    assert len([state for state in drawn if "train:" in state]) >= 4
    assert "| 4/4 [00:04<00:00,  1.00 steps/s]" in drawn[-1]
