"""The metrics that git holds: few levels, rounded, equal bytes for equal results."""

import math
from pathlib import Path
from typing import Any

import pandas as pd

from debugset.files import replacing_file, write_json
from debugset.report.columns import COLUMNS
from debugset.report.inputs import Inputs
from debugset.report.sections.by_class import compared
from debugset.report.sections.embedders import KINDS
from debugset.report.sections.pool import weak_label_precision

FOLDER = Path("metrics")
PLOTS = Path("plots")
DIGITS = 4


def accuracy(inputs: Inputs) -> dict[str, Any]:
    """Every accuracy with its interval and every paired difference, as shares of one; the chosen variant."""
    variants: dict[str, Any] = {}
    for variant in inputs.variants:
        cells = {column: inputs.score(variant, column) for column in COLUMNS}
        variants[variant] = {
            column: {
                "accuracy": cell["accuracy"] / 100,
                "low": cell["low"] / 100,
                "high": cell["high"] / 100,
                "images": int(cell["images"]),
            }
            for column, cell in cells.items()
            if cell is not None
        }
    differences: dict[str, Any] = {}
    for row in inputs.differences.dropna().to_dict("records"):
        columns = differences.setdefault(row["variant"], {}).setdefault(row["baseline"], {})
        columns[row["column"]] = {key: row[key] / 100 for key in ("difference", "low", "high")}
    return {"variants": variants, "differences": differences, "chosen": inputs.chosen}


def summary(inputs: Inputs) -> dict[str, Any]:
    """The numbers to watch: accuracies by column and variant, and what the chosen variant gains."""
    shown = ("heldout", "seed", "complement", "test", "test_all", "deval")
    chosen = inputs.chosen
    scores = {column: {name: inputs.score(name, column) for name in inputs.variants} for column in shown}
    gains = {f"over_{name}": inputs.change(chosen, name, "heldout") for name in inputs.baselines}
    return {
        "chosen": chosen,
        "gain": {name: change["difference"] / 100 for name, change in gains.items() if change is not None},
        **{
            column: {name: cell["accuracy"] / 100 for name, cell in cells.items() if cell is not None}
            for column, cells in scores.items()
        },
    }


def pool(inputs: Inputs) -> dict[str, Any]:
    """What was found, dropped, rejected, kept and added, and the share of right weak labels."""
    scrape = inputs.json("data/scrape.json") or {}
    manifest = inputs.pool.manifest
    counts: dict[str, Any] = {
        "found": scrape.get("found"),
        "fewest_bisections_of_a_class": min(
            (one["bisections"] for one in scrape.get("by_class", {}).values()), default=None
        ),
        "cross_class_dropped": scrape.get("cross_class_dropped"),
        "rejected": scrape.get("rejected", {}),
        "images": len(manifest),
        "removed": {name: int((inputs.keep["reason"] == name).sum()) for name in ("duplicate", "leak")},
        "kept": int(inputs.keep["keep"].sum()),
        "weak_label_precision": weak_label_precision(inputs),
        "added": {name: content["images"] for name, content in inputs.added.items()},
        "added_precision": {name: content["weak_label_precision"] for name, content in inputs.added.items()},
    }
    if "planted" in manifest:
        kinds = manifest.loc[manifest["planted"] != "", "planted"].value_counts()
        counts["planted"] = {kind: int(count) for kind, count in kinds.items()}
    return counts


def retention(inputs: Inputs) -> dict[str, Any]:
    """For every embedder, the shares of its neighbours that keep class and context, at both ends of k."""
    table = inputs.frame("data/retention.parquet")
    ends = table[table["k"].isin([table["k"].min(), table["k"].max()])]
    shares: dict[str, Any] = {}
    for row in ends.to_dict("records"):
        of_embedder = shares.setdefault(row["embedder"], {})
        for kind in KINDS:
            if not math.isnan(row[f"{kind}_retention"]):
                of_embedder[f"{kind}_at_{row['k']}"] = row[f"{kind}_retention"]
    return shares


def leaks(inputs: Inputs) -> dict[str, Any]:
    """What the leak filter removed and how well it finds planted copies, as used and by the paper's rule."""
    return inputs.json("data/dedup/scores.json") or {}


METRICS = {"accuracy": accuracy, "summary": summary, "pool": pool, "leaks": leaks, "retention": retention}


def write(inputs: Inputs) -> None:
    """Write every metrics file and the tables behind the plots of ``dvc plots``."""
    for name, measure in METRICS.items():
        write_json(inputs.root / FOLDER / f"{name}.json", measure(inputs), digits=DIGITS)
    for name, table in {
        "accuracy": _accuracy_plot,
        "classes": _classes_plot,
        "retention": _retention_plot,
    }.items():
        with replacing_file(inputs.root / PLOTS / f"{name}.csv") as temporary:
            table(inputs).round(DIGITS).to_csv(temporary, index=False, lineterminator="\n")


def _accuracy_plot(inputs: Inputs) -> pd.DataFrame:
    """A row a variant, a column a set; percent."""
    wide = inputs.accuracy.pivot(index="variant", columns="column", values="accuracy")
    return wide.reindex(index=inputs.variants, columns=list(COLUMNS)).reset_index()


def _classes_plot(inputs: Inputs) -> pd.DataFrame:
    """A row a variant and class: images added, held-out accuracy in percent."""
    table = compared(inputs.by_class)
    names = [inputs.class_name(int(index)) for index in table["class"]]
    return table.assign(**{"class": names})[["variant", "class", "added", "accuracy"]]


def _retention_plot(inputs: Inputs) -> pd.DataFrame:
    """A row a k, a column an embedder and property; shares of one."""
    table = inputs.frame("data/retention.parquet")
    shares = [
        table.pivot(index="k", columns="embedder", values=f"{kept}_retention").add_suffix(f"_{kept}") for kept in KINDS
    ]
    return pd.concat(shares, axis=1).reset_index()
