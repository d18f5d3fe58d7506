"""The bar of a phase and its note in the spool tell the same."""

from pathlib import Path
from typing import Any

import pytest
from tqdm import tqdm

from debugset.pool import progress
from debugset.pool.progress import Meter
from debugset.pool.spool import Spool


def test_what_earlier_runs_did_is_no_pace_of_the_bar_nor_of_the_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = []

    def show(what: str, **options: Any) -> tqdm:
        bars.append(tqdm(desc=what, **options))
        return bars[-1]

    monkeypatch.setattr(progress, "progress", show)
    with Spool(tmp_path / "spool.sqlite") as spool, Meter(spool, "searching", "search", 5, before=1) as meter:
        for known in (True, False, True):
            meter.update(known=known)
        assert (bars[0].n, bars[0].initial, bars[0].total) == (4, 3, 5)
    with Spool(tmp_path / "spool.sqlite") as spool:
        (noted,) = spool.progress()
    assert (noted.done, noted.before, noted.total) == (4, 3, 5)


def test_what_is_noted_is_shown_though_nothing_more_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("debugset.base.progress._SECONDS_BETWEEN_LINES", 0)
    with Spool(tmp_path / "spool.sqlite") as spool, Meter(spool, "downloading", "photo", 5) as meter:
        meter.note("failed: 3 of a.example.org, 3 in all")
        assert meter._progress.done == 0
    assert capsys.readouterr().err.splitlines()[-1].endswith(" left, failed: 3 of a.example.org, 3 in all")
