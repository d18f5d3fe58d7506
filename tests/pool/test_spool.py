import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from debugset.pool.spool import File, Progress, Spool, failed_file, is_running, list_spools

FILE = File("ok", 3, 2, 700, "png", "ab12", b"bytes")


def test_what_was_kept_is_there_for_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "service.sqlite"
    found = [{"id": "1", "title": "ça va"}]
    with Spool(path) as spool:
        spool.save_total("q", 0, 9, 20)
        spool.save_photos("q", 0, 4, 1, found)
        spool.save_file("https://a/b", "1", FILE)
        spool.save_turn("calls", 12.5, 99.25)
        spool.save_progress(Progress("searching", 5.0, 6.0, 1, 2, 3))
    with Spool(path) as spool:
        assert spool.total("q", 0, 9) == 20
        assert spool.photos("q", 0, 9) is None
        assert not spool.has_photos("q", 0, 9)
        assert spool.photos("q", 0, 4) == found
        assert spool.has_photos("q", 0, 4)
        assert spool.total("other query", 0, 9) is None
        assert spool.file("https://a/b") == FILE
        assert spool.content("https://a/b") == b"bytes"
        assert spool.files({"https://a/b", "https://a/c"}) == {"https://a/b": FILE._replace(content=b"")}
        assert spool.file("https://a/c") is None
        assert spool.turn("calls") == (12.5, 99.25)
        assert spool.turn("others") == (0.0, 0.0)
        assert spool.progress() == [Progress("searching", 5.0, 6.0, 1, 2, 3)]
        spool.clear_progress()
        assert spool.progress() == []


def test_statuses_are_counted_most_frequent_first(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.sqlite") as spool:
        for number, status in enumerate(["ok", "gone", "ok"]):
            spool.save_file(f"u{number}", str(number), File(status))
        assert list(spool.statuses().items()) == [("ok", 2), ("gone", 1)]
        assert spool.count_tried_since(0.0) == 3
        assert spool.count_tried_since(2.0**40) == 0


def test_what_failed_is_listed_as_it_is_to_be_asked_again(tmp_path: Path) -> None:
    tries = {"https://b/2": 9, "https://a/1": 1, "https://a/silent": 0, "https://B/silent": 0, "https://a:80": 9}
    with Spool(tmp_path / "spool.sqlite") as spool:
        spool.save_file("https://a/ok", "1", FILE)
        spool.save_file("https://a/1", "1", failed_file("timed out"), 9)
        for url, attempts in tries.items():
            spool.save_file(url, "1", failed_file("timed out"), attempts)
        silent = ["https://a/silent", "https://B/silent"]
        assert spool.failed_urls() == [*silent, "https://b/2", "https://a/1", "https://a:80"]
        assert list(spool.failed_hosts().items()) == [("a", 2), ("b", 2), ("a:80", 1)]
        spool.give_up()
        assert (spool.failed_urls(), spool.failed_hosts()) == ([], {})


def test_what_is_forgotten_leaves_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    photos = [{"id": "1", "title": "keep-this"}, {"id": "2", "dateupload": "9", "title": "private-title"}]
    with Spool(path) as spool:
        spool.save_photos("q", 0, 4, 2, photos)
        spool.save_file("https://a/1", "1", FILE._replace(content=b"kept-picture"))
        spool.save_file("https://a/2", "2", FILE._replace(content=b"private-picture" * 400))
        assert spool.forget(["2", "3"]) == {"2": 2}
        assert spool.photos("q", 0, 4) == [photos[0], {"id": "2", "dateupload": "9"}]
        assert spool.file("https://a/2") is None
        assert spool.content("https://a/1") == b"kept-picture"
        assert spool.forget(["2"]) == {}
    written = b"".join(part.read_bytes() for part in tmp_path.iterdir())
    assert b"kept-picture" in written
    assert b"private" not in written


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    with Spool(path) as spool:
        spool.save_file("first", "1", FILE)
        spool._rows("PRAGMA max_page_count = 12")
        with pytest.raises(OSError, match=r"spool.sqlite: database or disk is full; free some space, then run again"):
            spool.save_file("second", "2", FILE._replace(content=bytes(100_000)))
    with Spool(path) as spool:
        assert spool.file("first") == FILE
        assert spool.file("second") is None
        spool.save_file("second", "2", FILE)


def test_a_file_that_is_no_spool_is_named(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(OSError, match=r"spool.sqlite: file is not a database"):
        Spool(path)


def test_a_spool_of_another_version_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE files (url TEXT)")
    database.close()
    with pytest.raises(OSError, match="written by another version"):
        Spool(path)


HOLDER = """
import sys
from pathlib import Path
from debugset.pool.spool import Spool
with Spool(Path(sys.argv[1])) as spool, spool.lock():
    print("holds it", flush=True)
    sys.stdin.read()
"""


def test_a_second_scrape_waits_for_the_first(tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    path = tmp_path / "spool.sqlite"
    assert not is_running(path)
    command = [sys.executable, "-c", HOLDER, str(path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": "src"})
    assert holder.stdin and holder.stdout
    assert holder.stdout.readline() == b"holds it\n"
    assert is_running(path)
    second = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PYTHONPATH": "src"})
    assert second.stdin and second.stdout
    assert b"waiting" in second.stdout.readline()
    holder.kill()  # a killed scrape leaves no lock behind
    assert second.stdout.readline() == b"holds it\n"
    for process in (holder, second):
        process.kill()
        process.communicate()
    assert not is_running(path)


def test_the_spool_used_last_comes_first(tmp_path: Path) -> None:
    for name in ("one", "two"):
        Spool(tmp_path / "scrape" / f"{name}.sqlite").__exit__()
    assert {path.stem for path in list_spools(tmp_path)} == {"one", "two"}
    assert list_spools(tmp_path / "nothing") == []
