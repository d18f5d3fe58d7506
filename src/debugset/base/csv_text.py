"""CSV files that people write: UTF-8 with commas. What another program made of them is told apart."""

import codecs
import csv
from collections.abc import Iterable
from pathlib import Path

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_MEND = "save it as CSV in UTF-8 with commas"


def read_csv_text(path: Path, columns: Iterable[str], where: str) -> str:
    """The text of a CSV file, without a byte order mark.

    Args:
        path: the file.
        columns: what its header must name, as `column_name` gives it; whether it does is the caller's to check.
        where: what error texts call the file.

    Raises:
        ValueError: it is empty, in another encoding, or something else than commas parts its columns.
        OSError: it cannot be read.
    """
    content = path.read_bytes()
    if content.startswith(_UTF_16) or b"\0" in content[:2]:  # without its mark, the first letter has a zero byte
        raise ValueError(f"{where}: is UTF-16; {_MEND}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{where}: line {line} is no UTF-8, perhaps Latin-1; {_MEND}") from None
    if not text.strip():
        raise ValueError(f"{where}: is empty; write a header and rows")
    wanted, header = set(columns), text.lstrip().splitlines()[0]
    if not wanted & _names(header, ","):
        for delimiter, called in _DELIMITERS.items():
            if wanted & _names(header, delimiter):
                raise ValueError(f"{where}: its cells are parted by {called}; {_MEND}")
    return text


def column_name(text: str) -> str:
    """A column's name as it is compared: case and the spaces around it do not matter."""
    return text.strip().lower()


def _names(header: str, delimiter: str) -> set[str]:
    """The names of columns in a header, were its cells parted by a delimiter."""
    try:
        return set(map(column_name, next(csv.reader([header], delimiter=delimiter))))
    except csv.Error:  # a cell of 128 KB, as JSON in one line is
        return set()
