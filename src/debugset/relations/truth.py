"""The ground truth: a small CSV in which a person says how pairs of attributes relate."""

import io
from collections.abc import Hashable, Sequence
from itertools import combinations
from pathlib import Path

import pandas as pd

from debugset.base.csv_text import column_name, read_csv_text
from debugset.base.files import replacing_file

PAIR_COLUMNS = ["attribute_a", "attribute_b", "relation"]


def read_relations(path: Path, attributes: Sequence[str], unrelated: str | None = None) -> pd.DataFrame:
    """Read a ground truth and check it against the attributes that exist.

    Args:
        unrelated: the label that params give to pairs without a relation; None if they name none.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: see `check_relations`; or it is no CSV; or no pair is labelled ``unrelated``.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such ground truth; `debugset relations template {path}` writes one")
    text = read_csv_text(path, PAIR_COLUMNS, str(path))
    try:
        table = pd.read_csv(
            io.StringIO(text), dtype=str, keep_default_na=False, skip_blank_lines=False, index_col=False
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: not a table with {', '.join(PAIR_COLUMNS)}: {reason}") from None
    table = table.rename(columns=column_name).apply(lambda column: column.str.strip().str.normalize("NFC"))
    labelled = check_relations(table, attributes, str(path))
    labels = labelled["relation"].unique()
    if unrelated is not None and unrelated not in labels:
        raise ValueError(
            f"relations.unrelated: no pair of {path.name} is labelled {unrelated}; the labels are "
            f"{', '.join(labels)}; name one of them, or null"
        )
    return labelled


def check_relations(relations: pd.DataFrame, attributes: Sequence[Hashable], where: str = "relations") -> pd.DataFrame:
    """The labelled pairs of a ground truth, after checking it against the attributes.

    Pairs without a label are left out: only trustworthy relations count.

    Args:
        relations: columns `PAIR_COLUMNS`, one row a pair, in any order.
        attributes: those that exist.
        where: what error texts call the table; rows are counted as a CSV's lines are.

    Raises:
        ValueError: a column is missing, an attribute is unknown or paired with itself, a pair comes twice, or no pair
            has a label.
    """
    for name in PAIR_COLUMNS:
        if name not in relations:
            raise ValueError(f"{where}: column `{name}` is missing; the columns are {', '.join(PAIR_COLUMNS)}")
    line_of: dict[frozenset[Hashable], int] = {}
    for line, (a, b, label) in enumerate(relations[PAIR_COLUMNS].itertuples(index=False), start=2):  # after the header
        if (a, b, label) == ("", "", ""):  # a blank line
            continue
        for name in (a, b):
            if name not in attributes:
                called = "an empty name" if name == "" else name
                raise ValueError(f"{where}, line {line}: {called} is no attribute; there are {_some(attributes)}")
        if a == b:
            raise ValueError(f"{where}, line {line}: {a} is paired with itself; remove the line")
        earlier = line_of.setdefault(frozenset((a, b)), line)
        if earlier != line:
            raise ValueError(f"{where}, line {line}: {a} and {b} stand in line {earlier} too")
    labelled = relations[relations["relation"].notna() & (relations["relation"].astype(str).str.strip() != "")]
    if labelled.empty:
        raise ValueError(f"{where}: no pair has a label; write one into column `relation`, for example `unrelated`")
    return labelled[PAIR_COLUMNS].reset_index(drop=True)


def write_template(path: Path, attributes: Sequence[str], relation: str = "") -> int:
    """Write a CSV with every pair of attributes, to fill in or to thin out; returns how many pairs.

    Every pair is labelled ``relation`` to begin with; empty leaves it to the person.

    Raises:
        FileExistsError: the file is there: it may hold somebody's work.
        ValueError: there are fewer than two attributes.
    """
    if path.exists():
        raise FileExistsError(f"{path}: is there already; move it away, or name another file")
    if len(attributes) < 2:
        raise ValueError(f"{path}: a relation needs two attributes, but there are {len(attributes)}")
    table = pd.DataFrame(combinations(attributes, 2), columns=PAIR_COLUMNS[:2]).assign(relation=relation)
    with replacing_file(path) as temporary:
        table.to_csv(temporary, index=False)
    return len(table)


def _some(names: Sequence[Hashable]) -> str:
    listed = ", ".join(map(str, names[:12]))
    return f"{listed} ..." if len(names) > 12 else listed
