"""Tables of text: aligned, as long as they must be, and plain."""

import pytest

from debugset.base.text_table import text_table

ROWS = [("data/[bold]pool", ":eel: 1"), ("a", "")]


@pytest.mark.parametrize("colours", ["", "1"])
def test_columns_are_aligned_and_plain(monkeypatch, colours):
    monkeypatch.setenv("FORCE_COLOR", colours)
    left = "name             count\ndata/[bold]pool  :eel: 1\na"
    right = "           name    count\ndata/[bold]pool  :eel: 1\n              a"
    assert text_table(("name", "count"), ROWS) == left
    assert text_table(("name", "count"), ROWS, justify="right") == right


def test_a_long_cell_is_neither_wrapped_nor_cut(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    long = "word " * 200 + "end"
    assert text_table(("text", "x"), [(long, "1")]).splitlines()[1] == f"{long}  1"
