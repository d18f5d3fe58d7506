"""The ground truth: a small CSV in which a person says how pairs of attributes relate."""

from collections.abc import Hashable, Sequence
from itertools import combinations
from pathlib import Path

import pandas as pd

from debugset.base.files import replacing_file

COLUMNS = ("attribute_a", "attribute_b", "relation")


def check_relations(relations: pd.DataFrame, attributes: Sequence[Hashable], where: str = "relations") -> pd.DataFrame:
    """The labelled pairs of a ground truth, after checking it against the attributes.

    Pairs without a label are left out: only trustworthy relations count.

    Args:
        relations: columns `COLUMNS`, one row a pair, in any order.
        attributes: those that exist.
        where: what error texts call the table; rows are counted as a CSV's lines are.

    Raises:
        ValueError: a column is missing, an attribute is unknown or paired with itself, a pair comes twice, or no pair
            has a label.
    """
    if missing := [name for name in COLUMNS if name not in relations]:
        raise ValueError(f"{where}: column `{missing[0]}` is missing; the columns are {', '.join(COLUMNS)}")
    known, seen = set(attributes), dict[frozenset, int]()
    for line, (a, b, label) in enumerate(relations[list(COLUMNS)].itertuples(index=False), start=2):
        if a == b == label == "":  # a blank line
            continue
        if unknown := [name for name in (a, b) if name not in known]:
            name = "an empty name" if unknown[0] == "" else unknown[0]
            raise ValueError(f"{where}, line {line}: {name} is no attribute; there are {_some(attributes)}")
        if a == b:
            raise ValueError(f"{where}, line {line}: {a} is paired with itself; remove the line")
        if frozenset((a, b)) in seen:
            raise ValueError(f"{where}, line {line}: {a} and {b} stand in line {seen[frozenset((a, b))]} too")
        seen[frozenset((a, b))] = line
    labelled = relations[relations["relation"].notna() & (relations["relation"].astype(str).str.strip() != "")]
    if labelled.empty:
        raise ValueError(f"{where}: no pair has a label; write one into column `relation`, for example `unrelated`")
    return labelled[list(COLUMNS)].reset_index(drop=True)


def read_relations(path: Path, attributes: Sequence[str]) -> pd.DataFrame:
    """Read and check a ground truth.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: see `check_relations`; or it is no CSV.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such ground truth; `debugset relations template {path}` writes one to fill in"
        )
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a table with {', '.join(COLUMNS)}: {' '.join(str(error).split())}") from None
    table = table.rename(columns=str.strip).apply(lambda column: column.str.strip())
    return check_relations(table, attributes, str(path))


def write_template(path: Path, attributes: Sequence[str], relation: str = "") -> int:
    """Write a CSV with every pair of attributes, to fill in or to thin out; returns how many pairs.

    Args:
        path: of the CSV.
        attributes: at least two.
        relation: what every pair is labelled to begin with; empty leaves it to the person.

    Raises:
        FileExistsError: the file is there: it may hold somebody's work.
        ValueError: there are fewer than two attributes.
    """
    if path.exists():
        raise FileExistsError(f"{path}: is there already; move it away, or name another file")
    if len(attributes) < 2:
        raise ValueError(f"{path}: a relation needs two attributes, but there are {len(attributes)}")
    table = pd.DataFrame(combinations(attributes, 2), columns=COLUMNS[:2]).assign(relation=relation)
    with replacing_file(path) as temporary:
        table.to_csv(temporary, index=False)
    return len(table)


def _some(names: Sequence[Hashable]) -> str:
    return ", ".join(str(name) for name in list(names)[:12]) + " ..." * (len(names) > 12)
