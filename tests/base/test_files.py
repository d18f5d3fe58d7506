"""Files are replaced whole or not at all, and equal content is equal bytes."""

import errno
import hashlib
import io
import os

import numpy as np
import pandas as pd
import pytest

from debugset.base.files import (
    MEND,
    read_json,
    read_parquet,
    replacing_file,
    replacing_folder,
    sha256,
    write_json,
    write_parquet,
)


def test_a_file_appears_when_its_block_ends(tmp_path):
    path = tmp_path / "folder" / "file.txt"
    with replacing_file(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_a_reader_of_the_old_file_never_sees_the_new_one(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with path.open() as reader:
        with replacing_file(path) as temporary:
            temporary.write_text("new")
        assert reader.read() == "old"  # renamed over, not written into
    assert path.read_text() == "new"


def test_a_file_survives_a_failed_replacement(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "set"
    path.mkdir()
    (path / "old").touch()
    with replacing_folder(path) as temporary:
        (temporary / "new").touch()
    assert [file.name for file in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_survives_a_failed_replacement(tmp_path):
    path = tmp_path / "set"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(RuntimeError), replacing_folder(path) as temporary:
        (temporary / "new").touch()
        raise RuntimeError
    assert [file.name for file in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


FULL = {
    "the system": OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    "a quota": OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
    "numpy": OSError("1000000 requested and 1008 written"),
}


@pytest.mark.parametrize("error", FULL.values(), ids=FULL)
@pytest.mark.parametrize("replacing", [replacing_file, replacing_folder])
def test_a_full_disk_is_named_with_the_mend(tmp_path, replacing, error):
    path = tmp_path / "out"
    with pytest.raises(OSError, match=r"^\S*/out: the disk is full; free some space, then run again$"), replacing(path):
        raise error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("replacing", [replacing_file, replacing_folder])
def test_other_errors_stay_as_they_are(tmp_path, replacing):
    path = tmp_path / "out"
    with pytest.raises(OSError, match="Permission denied"), replacing(path):
        raise OSError(errno.EACCES, "Permission denied")
    assert list(tmp_path.iterdir()) == []


def test_equal_results_are_equal_json_bytes(tmp_path):
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    write_json(one, {"b": 0.1 + 0.2, "a": (np.float64(1 / 3), np.int64(2))})
    write_json(two, {"a": [0.3333333333, 2], "b": 0.3})
    assert one.read_bytes() == two.read_bytes()
    assert read_json(one) == {"a": [0.333333, 2], "b": 0.3}


def test_json_keeps_as_many_digits_as_asked(tmp_path):
    write_json(tmp_path / "x.json", {"x": 0.123456}, digits=2)
    assert read_json(tmp_path / "x.json") == {"x": 0.12}


def test_parquet_keeps_columns_and_no_index(tmp_path):
    frame = pd.DataFrame({"id": ["7", "8"], "label": [0, 1]}, index=[5, 6])
    write_parquet(tmp_path / "x.parquet", frame)
    read = pd.read_parquet(tmp_path / "x.parquet")
    assert list(read.columns) == ["id", "label"]
    assert list(read.index) == [0, 1]
    assert list(read["id"]) == ["7", "8"]


def test_sha256_is_the_bytes_digest(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"debugset")
    assert sha256(path) == hashlib.sha256(b"debugset").hexdigest()


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"\xff"])
def test_a_damaged_json_file_is_named(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x.json: not JSON \(.*; restore it"):
        read_json(path)


def parquet_bytes():
    buffer = io.BytesIO()
    pd.DataFrame({"a": range(100)}).to_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b"", None),
        (b"<html>a page</html>", None),
        (parquet_bytes()[:-9], None),
        (parquet_bytes()[:100] + bytes(400) + parquet_bytes()[-8:], None),
        (parquet_bytes(), ["b"]),
    ],
    ids=["empty", "a page", "cut off", "damaged", "without a column"],
)
def test_a_table_that_cannot_be_read_is_named_with_its_mend(tmp_path, content, columns):
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a Parquet table as it should be") as caught:
        read_parquet(path, columns)
    text = str(caught.value)
    assert text.startswith(f"{path}: not a Parquet table as it should be (")
    assert text.endswith(f"); {MEND}")
    assert "\n" not in text


@pytest.mark.parametrize(("read", "name"), [(read_json, "x.json"), (read_parquet, "x.parquet")])
def test_a_file_that_is_not_there_is_named_with_its_mend(tmp_path, read, name):
    with pytest.raises(FileNotFoundError) as caught:
        read(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: no such file; {MEND}"


def test_a_file_that_may_not_be_read_is_not_called_broken(tmp_path):
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        read_json(tmp_path)
