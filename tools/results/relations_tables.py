"""The tables of docs/relations.md on the default run: its pair by level of bias, and what failure modes cost."""

import math
from pathlib import Path

import pandas as pd

from debugset.base.params import load
from debugset.relations.accuracy import ENTROPY, LOW_ENTROPY, OURS
from debugset.report.inputs import Inputs
from debugset.report.params import ReportParams
from debugset.report.relation_tables import RelationTables

PAGE = Path("docs/relations.md")


def tables(root: Path) -> dict[str, str]:
    """The tables by name, from ``data/relations`` below a folder."""
    results = RelationTables(Inputs(root, load("report", ReportParams, root / "params.yaml"), []))
    return {"levels": _levels(results.biased_pairs), "costs": _costs(results.costs())}


def _levels(biased: pd.DataFrame) -> str:
    """A row a level of bias."""
    lines = [
        "| tau | correlation | cosine | divergence | rank | called |",
        "|---:|---:|---:|---:|---:|---|",
    ]
    for row in biased.to_dict("records"):
        numbers = " | ".join(_number(row[name], 2) for name in ("correlation", "mean", "kl"))
        lines.append(f"| {row['tau']:g} | {numbers} | {row['rank']:.0f} | {row['kind'] or '-'} |")
    return "\n".join(lines)


def _costs(costs: pd.DataFrame) -> str:
    """A row a level and number of modes: this diagnosis and both baselines."""
    lines = [
        "| tau | top | this diagnosis: modes | ordinary | in mode | lost | highest entropy: lost "
        "| lowest entropy, unrelated: ordinary | in mode | lost |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for (tau, top), rows in costs.groupby(["tau", "top"]):
        by_method = rows.set_index("method")
        ours, entropy, low = (by_method.loc[name] for name in (OURS, ENTROPY, LOW_ENTROPY))
        cells = [f"{tau:g}", f"{top:.0f}", f"{ours['modes']:.0f}"]
        cells += [_percent(ours[name]) for name in ("ordinary", "in_mode", "decrease")]
        cells += [_percent(entropy["decrease"])]
        cells += [_percent(low[name]) for name in ("ordinary", "in_mode", "decrease")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else _number(100 * share, 1)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
