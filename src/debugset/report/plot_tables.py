"""The tables behind the plots of ``dvc plots``, as CSV, rounded."""

import pandas as pd

from debugset.base.files import replacing_file
from debugset.base.paths import PLOTS, REMEASURED, RETENTION
from debugset.report.headings import COLUMNS
from debugset.report.inputs import Inputs
from debugset.report.modes import GROUPS
from debugset.report.numbers import RETENTION_KINDS, variants_adding_alike
from debugset.report.relation_tables import RelationTables
from debugset.report.sparse_tables import ACCURACIES, SparseTables

DIGITS = 4


def write(inputs: Inputs) -> None:
    """Write every table."""
    for name, make in TABLES.items():
        with replacing_file(inputs.root / PLOTS / f"{name}.csv") as temporary:
            make(inputs).round(DIGITS).to_csv(temporary, index=False, lineterminator="\n")


def _accuracy(inputs: Inputs) -> pd.DataFrame:
    """A row a variant, a column a set; percent."""
    wide = inputs.accuracy.pivot(index="variant", columns="column", values="accuracy")
    return wide.reindex(index=inputs.variants, columns=list(COLUMNS)).reset_index()


def _classes(inputs: Inputs) -> pd.DataFrame:
    """A row a variant and class: images added, held-out accuracy in percent."""
    table = variants_adding_alike(inputs.by_class)
    return table.assign(**{"class": table["class"].map(inputs.class_name)})[["variant", "class", "added", "accuracy"]]


def _retention(inputs: Inputs) -> pd.DataFrame:
    """A row a k, a column an embedder and property; shares of one."""
    table = inputs.frame(RETENTION)
    parts = []
    for kind in RETENTION_KINDS:
        shares = table.pivot(index="k", columns="embedder", values=f"{kind}_retention")
        parts.append(shares.add_suffix(f"_{kind}"))
    return pd.concat(parts, axis=1).reset_index()


def _gains(inputs: Inputs) -> pd.DataFrame:
    """ALER - BER of the classes in falling order, a column a model, grouping and depth (figures 8, 16 to 20).

    Shallow and deep are the least and the largest depth; ``classes`` is the share of the classes up to a row, in
    percent; only the features of the failure modes.
    """
    table = inputs.frame(GROUPS)
    table = table[(table["features"] == table["features"].iloc[0]) & (table["reason"] == "")]
    columns = {}
    for analysed in ("original", "robust"):
        for grouping in ("label", "prediction"):
            rows = table[(table["analysed"] == analysed) & (table["grouping"] == grouping)]
            for end, depth in (("shallow", table["depth"].min()), ("deep", table["depth"].max())):
                gains = rows[rows["depth"] == depth]["gain"]
                columns[f"{analysed}_{grouping}_{end}"] = gains.sort_values(ascending=False, ignore_index=True)
    wide = pd.DataFrame(columns)
    wide.insert(0, "classes", 100 * (wide.index + 1) / max(len(wide), 1))
    return wide


def _modes(inputs: Inputs) -> pd.DataFrame:
    """A row a mode and variant: the original model's error rate and the variant's, in percent."""
    table = inputs.frame(REMEASURED)
    table = table[table["mode"] != "all"]
    before = table[table["variant"] == "original"].set_index("mode")["error_rate"]
    after = table[table["variant"] != "original"]
    rates = {"original": 100 * after["mode"].map(before), "error_rate": 100 * after["error_rate"]}
    return after.assign(**rates)[["mode", "variant", "original", "error_rate"]]


def _relations(inputs: Inputs) -> pd.DataFrame:
    """A row a biased pair, run and level: divergence, mean cosine and rank among pairs of its label (figure 6)."""
    tables, columns = RelationTables(inputs), ["pair", "tau", "kl", "mean", "rank"]
    if tables.empty:
        return pd.DataFrame(columns=columns)
    table = tables.biased_pairs
    names = table["attribute_a"] + "-" + table["attribute_b"] + ", random state " + table["random_state"].astype(str)
    return table.assign(pair=names)[columns]


def _sparse(inputs: Inputs) -> pd.DataFrame:
    """A row a layer of a path: model, features a class, accuracies in percent; none without any feature."""
    path = SparseTables(inputs).table("path")
    path = path[path["features"] > 0]
    percent = {name: 100 * path[column] for column, name in ACCURACIES.items()}
    return path[["model", "features"]].assign(**percent)


TABLES = {
    "accuracy": _accuracy,
    "classes": _classes,
    "retention": _retention,
    "gains": _gains,
    "modes": _modes,
    "relations": _relations,
    "sparse": _sparse,
}
