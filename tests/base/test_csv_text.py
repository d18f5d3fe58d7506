"""CSV files that people write: what another program made of them ends in one line."""

import pytest

from debugset.base.csv_text import column_name, read_csv_text

COLUMNS = ["url", "class"]
MEND = "save it as CSV in UTF-8 with commas"


@pytest.mark.parametrize(
    "text", ["url,class\n1,2\n", "\ufeffurl,class\r\n1,2", ' "URL" , Class,more\n', "\n\nurl,class\n"]
)
def test_commas_in_utf_8_are_read(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    assert read_csv_text(path, COLUMNS, "table.csv") == text.removeprefix("\ufeff")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"url;class\n1;2", f"its cells are parted by semicolons; {MEND}"),
        (b'"url"\t"class"\n', f"its cells are parted by tabs; {MEND}"),
        (b"url | class\n", f"its cells are parted by bars; {MEND}"),
        ("url,class\n".encode("utf-16"), f"is UTF-16; {MEND}"),
        ("url,class\n".encode("utf-16-be"), f"is UTF-16; {MEND}"),
        (b"url,class\n1,caf\xe9\n", f"line 2 is no UTF-8, perhaps Latin-1; {MEND}"),
        (b"\xef\xbb\xbf\n \n", "is empty; write a header and rows"),
    ],
)
def test_what_another_program_wrote_is_told(tmp_path, content, said):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="table") as caught:
        read_csv_text(path, COLUMNS, "table.csv")
    assert str(caught.value) == f"table.csv: {said}"


@pytest.mark.parametrize("cell", ["{" + "a" * 200_000 + "}", "a," * 100_000 + ";" + "b" * 200_000, '"' + "x" * 140_000])
def test_a_first_line_of_any_length_is_the_caller_s_to_check(tmp_path, cell):
    path = tmp_path / "photos.json"
    path.write_text(cell)
    assert read_csv_text(path, COLUMNS, "photos.json") == cell


def test_case_and_spaces_of_a_column_s_name_do_not_matter():
    assert column_name(" URL ") == column_name("url") == "url"
