from pathlib import Path

import pandas as pd
import pytest

from debugset.images.sets import open_set
from debugset.pool.pack import add_verdicts, label_photos, list_downloads, report, write_pool
from debugset.pool.source import Download, Hit, hit_table
from debugset.pool.spool import File
from tests.pool.worlds import png, scrape_params

PARAMS = scrape_params(min_side=8)


def hits(*rows: tuple) -> pd.DataFrame:
    """Rows of id, class, query, uploaded and perhaps a fault and a shard."""
    every = []
    for photo, class_name, query, uploaded, *more in rows:
        fault = more[0] if more else ""
        shard = more[1] if len(more) > 1 else "2019"
        every.append(Hit(photo, class_name, query, shard, uploaded=uploaded, urls=(f"u{photo}",), fault=fault))
    return hit_table(every)


def ok(digest: str, side: int = 9) -> File:
    return File("ok", side, side, 100, "png", digest)


def test_one_row_a_photo_oldest_first_with_its_first_query() -> None:
    photos = label_photos(hits(("3", "bag", "a", 9), ("1", "bag", "a", 9), ("2", "bag", "b", 1), ("1", "bag", "b", 9)))
    assert list(zip(photos["id"], photos["query"], strict=True)) == [("2", "b"), ("1", "a"), ("3", "a")]
    assert (photos["fault"] == "").all()


def test_photos_of_more_than_one_class_are_dropped() -> None:
    photos = label_photos(hits(("1", "bag", "a", 1), ("2", "bag", "a", 2), ("1", "boot", "c", 1)))
    assert dict(zip(photos["id"], photos["fault"], strict=True)) == {"1": "cross_class", "2": ""}
    assert list_downloads(photos) == [Download("2", ("u2",))]


def test_a_row_outside_its_window_never_changes_what_a_photo_is() -> None:
    stray = hits(("1", "boot", "c", 1, "outside_window"), ("1", "bag", "a", 1), ("2", "boot", "c", 2, "outside_window"))
    photos = label_photos(stray)
    rows = list(zip(photos["id"], photos["class_name"], photos["fault"], strict=True))
    assert rows == [("1", "bag", ""), ("2", "boot", "outside_window")]


def test_a_later_shard_never_changes_an_earlier_one() -> None:
    earlier = [("1", "bag", "a", 0, "", "batch-1"), ("2", "bag", "a", 0, "", "batch-1")]
    later = [("1", "boot", "c", 0, "", "batch-2"), ("3", "boot", "c", 0, "", "batch-2")]
    before, after = label_photos(hits(*earlier)), label_photos(hits(*later, *earlier))
    assert after[["id", "class_name", "fault"]].values.tolist() == [
        ["1", "bag", ""],
        ["2", "bag", ""],
        ["3", "boot", ""],
    ]
    pd.testing.assert_frame_equal(after[: len(before)], before)


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        (File("ok", 8, 9, 100, "png", "a"), ""),
        (File("ok", 9, 7, 100, "png", "a"), "too_small"),
        (File("gone"), "gone"),
        (File("undecodable"), "undecodable"),
        (File("ok", 2000, 2000, 100, "png", "a"), "too_many_pixels"),  # the limit was lowered since
        (File("ok", 9, 9, 2_000_000, "png", "a"), "too_large"),
    ],
)
def test_what_came_decides_what_a_photo_is(file: File, fault: str) -> None:
    photos = label_photos(hits(("1", "bag", "a", 1), ("2", "bag", "a", 2, "no_size")))
    result = add_verdicts(photos, {"u1": file}, PARAMS)
    assert result["fault"].tolist() == [fault, "no_size"]
    assert result["width"].tolist() == [file.width, 0]


def test_the_size_that_came_is_the_one_packed() -> None:
    photos = label_photos(hits(("1", "bag", "a", 1)))
    photos["urls"] = [("large", "medium", "small")]
    files = {"large": File("undecodable"), "medium": ok("m", 20), "small": ok("s")}
    result = add_verdicts(photos, files, PARAMS)
    assert result[["url", "width", "fault", "sha256"]].values.tolist() == [["medium", 20, "", "m"]]


def test_of_equal_files_the_oldest_stays() -> None:
    photos = label_photos(hits(*((name, "bag", "a", int(name)) for name in "4321")))
    files = {"u1": File("gone"), "u2": ok("same"), "u3": ok("same"), "u4": ok("other")}
    result = add_verdicts(photos, files, PARAMS)
    fates = dict(zip(result["id"], result["fault"], strict=True))
    assert fates == {"1": "gone", "2": "", "3": "duplicate", "4": ""}
    tiny = add_verdicts(photos, files | {"u2": ok("same", 3)}, PARAMS)  # what is not packed covers nothing up
    assert dict(zip(tiny["id"], tiny["fault"], strict=True)) == {"1": "gone", "2": "too_small", "3": "", "4": ""}


def test_a_picture_that_stands_for_many_is_no_photo() -> None:
    photos = label_photos(hits(*((str(n), "bag", "a", n) for n in range(10, 23))))
    files = {f"u{n}": ok("unavailable" if n < 21 else str(n)) for n in range(10, 23)}
    result = add_verdicts(photos, files, PARAMS)
    told = report([], photos, result, 0)
    assert told["repeated_files"] == {"unavailable": 11}
    assert told["rejected"] == {"duplicate": 10}
    digest = "0" * 64
    files = {url: file._replace(sha256=digest) if file.sha256 == "unavailable" else file for url, file in files.items()}
    named = add_verdicts(photos, files, scrape_params(min_side=8, placeholders=[digest]))
    assert named["fault"].tolist() == ["placeholder"] * 11 + ["", ""]


def test_the_pool_is_written_photo_by_photo(tmp_path: Path) -> None:
    photos = label_photos(hits(*((str(n), "boot", "a", n, "", f"20{n}") for n in (18, 19))))
    result = add_verdicts(photos, {f"u{n}": ok(str(n)) for n in (18, 19)}, PARAMS)
    read: list[str] = []

    def content(url: str) -> bytes:
        read.append(url)
        return png(len(read), 9)

    write_pool(tmp_path / "pool", result, content, ["bag", "boot"])
    pool = open_set(tmp_path / "pool")
    assert pool.manifest[["id", "label", "shard", "url"]].values.tolist() == [
        ["18", 1, "2018.tar", "u18"],
        ["19", 1, "2019.tar", "u19"],
    ]
    assert read == ["u18", "u19"]
    assert [pool.image(row).size for row in range(2)] == [(9, 9)] * 2
