"""docs/outputs.md against what a run wrote: every out is named, every table's columns and key are as the page says."""

import re
from fnmatch import fnmatchcase
from typing import NamedTuple

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from tests.pipeline.conftest import ROOT

PAGE = (ROOT / "docs/outputs.md").read_text(encoding="utf-8")
OVERVIEW, *SECTIONS = re.split(r"^### ", PAGE, flags=re.MULTILINE)
MAY_BE_ABSENT = "manifest.parquet"  # its last columns depend on the source


class Table(NamedTuple):
    """What the page says of a kind of file: its globs, its key, its columns."""

    globs: list[str]
    key: list[str]
    columns: list[str]


def names(text):
    return re.findall(r"`([^`]+)`", text)


def parse(section):
    heading, _, rest = section.partition("\n")
    key = re.search(r"Key: ((?:`[^`]+`(?:, )?)+)", rest)
    rows = re.findall(r"^\| (`.*?) \|", rest, flags=re.MULTILINE)
    columns = [name for row in rows for name in names(row)]
    return Table(names(heading), names(key.group(1)), columns)


TABLES = [parse(section) for section in SECTIONS]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.globs[0])
def test_each_table_has_the_columns_and_the_key_that_the_page_names(smoke, table):
    files = [file for glob in table.globs for file in smoke.folder.glob(glob)]
    assert files, f"{table.globs}: no such file"
    for file in files:
        columns = pq.read_schema(file).names
        if file.name == MAY_BE_ABSENT:
            assert all(any(fnmatchcase(column, known) for known in table.columns) for column in columns), file
        else:
            assert sorted(columns) == sorted(table.columns), file
        key = pd.read_parquet(file, columns=table.key)
        assert not key.duplicated().any(), file


def test_every_table_and_every_out_is_on_the_page(smoke):
    globs = [glob for table in TABLES for glob in table.globs]
    for file in smoke.folder.glob("data/**/*.parquet"):
        path = file.relative_to(smoke.folder).as_posix()
        assert any(fnmatchcase(path, glob) for glob in globs), path
    outs = names("".join(re.findall(r"^\|.*\|$", OVERVIEW, flags=re.MULTILINE)))
    lock = yaml.safe_load((smoke.folder / "dvc.lock").read_text())
    for stage in lock["stages"].values():
        for out in stage["outs"]:
            assert any(fnmatchcase(out["path"], known) for known in outs), out["path"]
