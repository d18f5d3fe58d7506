"""The list of forgotten photos, and the command that adds to it."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import pytest

from debugset.cli.__main__ import main
from debugset.images.sets import write_manifest
from debugset.pool.rights.forgotten import forget, photo_id, read_forgotten
from debugset.pool.spool import File, Spool, is_running

ROOT = Path(__file__).resolve().parents[3]
PICTURE = File("ok", 3, 2, 700, "png", "ab12", b"picture")


def test_the_repository_s_list_is_valid_and_explains_itself() -> None:
    read_forgotten(ROOT / "forgotten.txt")
    assert (ROOT / "forgotten.txt").read_text().startswith("# ")


def test_comments_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "forgotten.txt"
    path.write_text("# header\n\n12\r\n  batch-a.b_c  \n# more words\n12\n")
    assert read_forgotten(path) == {"12", "batch-a.b_c"}
    path.write_text("")
    assert read_forgotten(path) == frozenset()


def test_an_id_that_a_table_wrote_as_a_float_means_both_writings(tmp_path: Path) -> None:
    path = tmp_path / "forgotten.txt"
    path.write_text("5123456789.0\nbatch-1.0\n7\n")
    assert read_forgotten(path) == {"5123456789.0", "5123456789", "batch-1.0", "7"}


@pytest.mark.parametrize("line", ["1 2", "12 # reason", "a/b", "<b>", "caf\u00e9", "1,2", "\ufeff12"])
def test_a_line_that_is_no_id_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "forgotten.txt"
    path.write_text(f"# header\n\n{line}\n")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"forgotten\.txt: row 3: .* is no id") as error:
        read_forgotten(path)
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="row 3"):
        forget(["7"], path, tmp_path)
    assert path.read_bytes() == before


def test_a_missing_list_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"forgotten\.txt: is missing; restore it"):
        read_forgotten(tmp_path / "forgotten.txt")
    with pytest.raises(FileNotFoundError, match="is missing"):
        forget(["1"], tmp_path / "forgotten.txt", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5123", "5123"),
        ("batch-a.b_c", "batch-a.b_c"),
        ("https://www.flickr.com/photos/7@N01/5123/", "5123"),
        ("https://www.flickr.com/photos/some-one/5123", "5123"),
        ("www.flickr.com/photos/7@N01/5123/in/album-72157/", "5123"),
        ("http://flickr.com/photos/7@N01/5123?a=b#c", "5123"),
        ("https://m.flickr.com/photos/7@N01/5123", "5123"),
        ("https://live.staticflickr.com/65535/5123_0a1b2c_o.jpg", "5123"),
        ("live.staticflickr.com/65535/5123_0a1b2c.jpg", "5123"),
        ("https://farm1.static.flickr.com/2/5123_0a1b2c_z.jpg?zz=1", "5123"),
    ],
)
def test_ids_and_addresses_of_flickr_name_a_photo(text: str, expected: str) -> None:
    assert photo_id(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 2",
        "5123\n",
        "https://www.flickr.com/photos/7@N01/",
        "https://www.flickr.com/photos/7@N01/albums/72157",
        "https://www.flickr.com/photos/7@N01/5123x",
        "https://example.org/photos/7@N01/5123",
        "https://www.flickr.com.example.org/photos/7@N01/5123",
        "https://notstaticflickr.com.example.org/1/5123_a.jpg",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no photo; give an id"):
        photo_id(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a list, a pool of the photos 1 and 2, and spools that know 1, 2 and 3."""
    (tmp_path / "forgotten.txt").write_text("# one\n# two\n5\n20\n")
    (tmp_path / "data/pool").mkdir(parents=True)
    columns = ["label", "sha256", "width", "height", "shard", "offset", "size"]
    write_manifest(tmp_path / "data/pool", pd.DataFrame({"id": ["1", "2"]} | dict.fromkeys(columns, 0)), ["bag"])
    for name, photos in {"flickr": "123", "table": "3"}.items():
        with Spool(tmp_path / f".spool/scrape/{name}.sqlite") as spool:
            spool.save_photos("bag", 0, 9, len(photos), [{"id": photo, "title": "hers"} for photo in photos])
            for photo in photos:
                spool.save_file(f"https://a/{photo}", photo, PICTURE)
    return tmp_path


def known(folder: Path, name: str) -> tuple[list[str], list[str]]:
    """The photos of which a spool holds a search result, and those of which it holds a file."""
    with Spool(folder / f".spool/scrape/{name}.sqlite") as spool:
        told = [photo["id"] for photo in spool.photos("bag", 0, 9) or [] if "title" in photo]
        return told, sorted(row[0] for row in spool.addresses())


def test_ids_join_the_list_in_order_below_its_header_and_leave_every_spool(folder: Path) -> None:
    summary = forget(["3", "1", "20", "3", "99"], folder / "forgotten.txt", folder / ".spool")
    assert (folder / "forgotten.txt").read_text() == "# one\n# two\n1\n20\n3\n5\n99\n"
    assert summary.added == ["3", "1", "99"]
    assert summary.listed == 5
    assert summary.removed == {"3": {"flickr": 2, "table": 2}, "1": {"flickr": 2}, "20": {}, "99": {}}
    assert known(folder, "flickr") == (["2"], ["2"])
    assert known(folder, "table") == ([], [])
    assert {path.name for path in folder.iterdir()} == {"forgotten.txt", "data", ".spool"}


def test_what_is_listed_already_changes_nothing_but_leaves_the_spools(folder: Path) -> None:
    path = folder / "forgotten.txt"
    path.write_bytes(b"# caf\xe9\n2\n# later\n1\n")
    assert forget(["1"], path, folder / ".spool").removed == {"1": {"flickr": 2}}
    assert path.read_bytes() == b"# caf\xe9\n2\n# later\n1\n"
    assert known(folder, "flickr")[1] == ["2", "3"]
    forget(["4"], path, folder / ".spool")
    assert path.read_bytes() == b"# caf\xe9\n# later\n1\n2\n4\n"


def test_without_any_spool_the_id_is_listed(tmp_path: Path) -> None:
    (tmp_path / "forgotten.txt").write_text("")
    assert forget(["1"], tmp_path / "forgotten.txt", tmp_path / "none").removed == {"1": {}}
    assert read_forgotten(tmp_path / "forgotten.txt") == {"1"}
    assert not (tmp_path / "none").exists()


def test_nothing_is_forgotten_while_a_scrape_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, before = folder / ".spool/scrape/table.sqlite", (folder / "forgotten.txt").read_bytes()
    with Spool(path) as spool, spool.lock():
        assert is_running(path)
        monkeypatch.setattr(Spool, "lock", lambda _: nullcontext())  # who does not look would wait for ever
        with pytest.raises(ValueError, match=r"table\.sqlite: a scrape is running") as error:
            forget(["3"], folder / "forgotten.txt", folder / ".spool")
    assert "\n" not in str(error.value)
    assert (folder / "forgotten.txt").read_bytes() == before
    assert known(folder, "flickr")[1] == ["1", "2", "3"]
    assert forget(["3"], folder / "forgotten.txt", folder / ".spool").removed["3"] == {"flickr": 2, "table": 2}


@pytest.fixture
def command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[object, str]]:
    """Run `debugset pool forget`: exit code or error, and what it printed."""
    monkeypatch.delenv("DEBUGSET_SPOOL", raising=False)
    monkeypatch.chdir(folder)

    def run(*arguments: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["debugset", "pool", "forget", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, capsys.readouterr().out

    return run


def test_the_command_says_what_was_removed_and_what_to_do_next(command, folder: Path) -> None:
    code, printed = command("https://www.flickr.com/photos/7@N01/1/", "3", "77")
    assert code == 0
    lines = printed.splitlines()
    assert lines[:4] == [
        "forgotten.txt: 3 added, 5 in all",
        "1: in data/pool; removed from the spool flickr (files and search results: 2)",
        "3: removed from the spool flickr (files and search results: 2); "
        "removed from the spool table (files and search results: 2)",
        "77: neither in data/pool nor in a spool; it will never be collected",
    ]
    rest = " ".join(lines[4:])
    assert rest.index("`dvc repro`") < rest.index("`git commit -a`") < rest.index("`debugset pool purge`")
    assert read_forgotten(folder / "forgotten.txt") == {"1", "3", "5", "20", "77"}


def test_one_odd_id_and_nothing_is_forgotten(command, folder: Path) -> None:
    code, _ = command("1", "not an id")
    assert str(code).startswith("error: 'not an id' is no photo")
    assert read_forgotten(folder / "forgotten.txt") == {"5", "20"}
    assert known(folder, "flickr")[1] == ["1", "2", "3"]
