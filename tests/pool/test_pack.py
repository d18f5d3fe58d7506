import pandas as pd
import pytest

from debugset.pool.pack import judged, wanted, weakly_labelled
from debugset.pool.search import FOUND_COLUMNS
from debugset.pool.spool import File


def found(*rows: tuple) -> pd.DataFrame:
    """Rows of id, class, query, uploaded and perhaps a fault."""
    filled = [
        dict.fromkeys(FOUND_COLUMNS, "")
        | {"id": row[0], "class_name": row[1], "query": row[2], "uploaded": row[3], "url": f"u{row[0]}"}
        | {"fault": row[4] if len(row) > 4 else ""}
        for row in rows
    ]
    return pd.DataFrame(filled, columns=FOUND_COLUMNS)


def test_one_row_a_photo_oldest_first_with_its_first_query() -> None:
    photos = weakly_labelled(
        found(("3", "bag", "a", 9), ("1", "bag", "a", 9), ("2", "bag", "b", 1), ("1", "bag", "b", 9))
    )
    assert list(zip(photos["id"], photos["query"], strict=True)) == [("2", "b"), ("1", "a"), ("3", "a")]
    assert (photos["fault"] == "").all()


def test_photos_of_more_than_one_class_are_dropped() -> None:
    photos = weakly_labelled(found(("1", "bag", "a", 1), ("2", "bag", "a", 2), ("1", "boot", "c", 1)))
    assert dict(zip(photos["id"], photos["fault"], strict=True)) == {"1": "cross_class", "2": ""}
    assert wanted(photos) == ["u2"]


def test_a_row_outside_its_window_never_changes_what_a_photo_is() -> None:
    stray = found(
        ("1", "boot", "c", 1, "outside_window"), ("1", "bag", "a", 1), ("2", "boot", "c", 2, "outside_window")
    )
    photos = weakly_labelled(stray)
    rows = list(zip(photos["id"], photos["class_name"], photos["fault"], strict=True))
    assert rows == [("1", "bag", ""), ("2", "boot", "outside_window")]


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        (File("ok", 8, 9, "png"), ""),
        (File("ok", 9, 7, "png"), "too_small"),
        (File("gone"), "gone"),
        (File("undecodable"), "undecodable"),
    ],
)
def test_what_came_is_judged(file: File, fault: str) -> None:
    photos = weakly_labelled(found(("1", "bag", "a", 1), ("2", "bag", "a", 2, "no_size")))
    result = judged(photos, {"u1": file}, min_side=8)
    assert result["fault"].tolist() == [fault, "no_size"]
    assert result["downloaded"].tolist() == [file.status in ("ok", "undecodable"), False]
    assert result["width"].tolist() == [file.width, 0]
