"""The accuracy table as text."""

from debugset.report.accuracy_text import accuracy_text

VALUES = {"held-out": "42.9", "test (all)": "90.0", "de-val": "100.0", "held-out 95 %": "31.0 to 55.1"}
ACCURACY = {
    "dcd-foundation": {
        "deval": {"accuracy": 1.0, "low": 1.0, "high": 1.0, "images": 9},
        "heldout": {"accuracy": 0.4285, "low": 0.31, "high": 0.5512, "images": 70},
        "test_all": {"accuracy": 0.9, "low": 0.8, "high": 0.95, "images": 70},
    },
    "original": {"heldout": {"accuracy": 0.0, "low": 0.0, "high": 0.0, "images": 70}},
}


def test_the_table_has_a_row_a_variant_and_a_column_a_set():
    head, original, dcd, note = accuracy_text(ACCURACY).splitlines()
    columns = [text.strip() for text in head.split("  ") if text.strip()]
    assert columns[0] == "accuracy, %"
    assert set(columns[1:]) == {"held-out", "test (all)", "de-val", "held-out 95 %"}
    of = {name: columns.index(name) for name in columns}
    cells = [text.strip() for text in dcd.split("  ") if text.strip()]
    assert cells[0] == "dcd-foundation"
    assert [cells[of[name]] for name in columns[1:]] == [VALUES[name] for name in columns[1:]]
    assert original.split()[0] == "original"
    assert original.split().count("-") == 2
    assert len({len(line) for line in (head, original, dcd)}) == 1
    assert "debug classes" in note
