"""The metrics that git holds: few levels, rounded, equal bytes for equal results."""

import math
from typing import Any

import pandas as pd

from debugset.base.files import replacing_file, write_json
from debugset.base.paths import BARLOW, DEDUP, METRICS, PLOTS, REMEASURED, RETENTION, SCRAPE
from debugset.relations.diagnosis import BLIND_SPOT, FAILURE_MODE
from debugset.report.inputs import Inputs
from debugset.report.numbers import KEPT, planted_scores, rule_gains, variants_adding_alike, weak_label_precision
from debugset.report.relations import Relations
from debugset.report.text_table import COLUMNS

DIGITS = 4
GROUPINGS = ("label", "prediction")
ENDS = ("shallow", "deep")
KINDS_OF_FLAWS = (BLIND_SPOT, FAILURE_MODE)


def accuracy(inputs: Inputs) -> dict[str, Any]:
    """Every accuracy with its interval, each run's, and every paired difference, as shares of one; the chosen."""
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
    runs: dict[str, Any] = {}
    for row in inputs.by_run.to_dict("records"):
        of_variant = runs.setdefault(row["variant"], {})
        of_variant.setdefault(str(row["random_state"]), {})[row["column"]] = row["accuracy"]
    return {"variants": variants, "runs": runs, "differences": differences, "chosen": inputs.chosen}


def summary(inputs: Inputs) -> dict[str, Any]:
    """The numbers to watch: accuracies by column and variant, and what the chosen variant gains."""
    shown = ("heldout", "seed", "heldout_source", "test", "test_all", "deval")
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
    scrape = inputs.json(SCRAPE) or {}
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
    table = inputs.frame(RETENTION)
    ends = table[table["k"].isin([table["k"].min(), table["k"].max()])]
    shares: dict[str, Any] = {}
    for row in ends.to_dict("records"):
        of_embedder = shares.setdefault(row["embedder"], {})
        for kind in KEPT:
            if not math.isnan(row[f"{kind}_retention"]):
                of_embedder[f"{kind}_at_{row['k']}"] = row[f"{kind}_retention"]
    return shares


def leaks(inputs: Inputs) -> dict[str, Any]:
    """What the leak filter removed and how well it finds planted copies, as used and by the paper's rule."""
    return inputs.json(DEDUP / "scores.json") or {}


def modes(inputs: Inputs) -> dict[str, Any]:
    """Failure modes found and held, every variant's error rate on their images, and the planted truth."""
    table = inputs.frame(BARLOW / "modes.parquet")
    again = inputs.frame(REMEASURED)
    together = again[again["mode"] == "all"]
    return {
        "found": len(table),
        "hold": int(table["holds"].sum()),
        "error_rate": dict(zip(together["variant"], together["error_rate"], strict=True)),
        "planted": {
            f"{row['features']}_{row['grouping']}_{row['depth']}": _defined(row, ("precision", "recall", "base"))
            for row in planted_scores(inputs)
        },
    }


def rules(inputs: Inputs) -> dict[str, Any]:
    """ALER - BER, held out and by chance, and the share of valid leaves, by model, features, grouping and depth."""
    found: dict[str, Any] = {}
    for row in rule_gains(inputs.frame(BARLOW / "groups.parquet")):
        by_depth = found.setdefault(f"{row['analysed']}_by_{row['features']}", {}).setdefault(row["grouping"], {})
        by_depth[f"depth_{row['depth']}"] = _defined(row, ("gain", "heldout_gain", "chance_gain", "valid"))
    return found


def _defined(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, float]:
    """Those of the numbers that are defined."""
    return {name: row[name] for name in names if not math.isnan(row[name])}


def relations(inputs: Inputs) -> dict[str, Any]:
    """Flaws found in unbiased networks, and the biased pairs' divergence, rank and mean cosine by level."""
    found = Relations(inputs)
    if found.empty:
        return {}
    unbiased = found.pairs[found.pairs["run"].isin(found.runs[found.runs["tau"] == 0]["name"])]
    levels: dict[str, Any] = {}
    for row in found.planted.to_dict("records"):
        series = levels.setdefault(f"{row['attribute_a']}-{row['attribute_b']}_random_state_{row['random_state']}", {})
        series |= {f"tau_{row['tau']:g}_{name}": row[name] for name in ("kl", "mean", "rank")}
    return {
        "kept": float(found.table("attributes")["kept"].median()),
        "residual": float(found.table("attributes")["residual"].max()),
        "unbiased": {kind: int((unbiased["kind"] == kind).sum()) for kind in KINDS_OF_FLAWS},
        "biased": levels,
        "fall": {name: value for name, value in zip(levels, found.falls(), strict=False) if not math.isnan(value)},
    }


MEASURES = {
    "accuracy": accuracy,
    "summary": summary,
    "pool": pool,
    "leaks": leaks,
    "retention": retention,
    "modes": modes,
    "rules": rules,
    "relations": relations,
}


def write(inputs: Inputs) -> None:
    """Write every metrics file and the tables behind the plots of ``dvc plots``."""
    for name, measure in MEASURES.items():
        write_json(inputs.root / METRICS / f"{name}.json", measure(inputs), digits=DIGITS)
    for name, table in {
        "accuracy": _accuracy_plot,
        "classes": _classes_plot,
        "retention": _retention_plot,
        "gains": _gains_plot,
        "modes": _modes_plot,
        "relations": _relations_plot,
    }.items():
        with replacing_file(inputs.root / PLOTS / f"{name}.csv") as temporary:
            table(inputs).round(DIGITS).to_csv(temporary, index=False, lineterminator="\n")


def _accuracy_plot(inputs: Inputs) -> pd.DataFrame:
    """A row a variant, a column a set; percent."""
    wide = inputs.accuracy.pivot(index="variant", columns="column", values="accuracy")
    return wide.reindex(index=inputs.variants, columns=list(COLUMNS)).reset_index()


def _classes_plot(inputs: Inputs) -> pd.DataFrame:
    """A row a variant and class: images added, held-out accuracy in percent."""
    table = variants_adding_alike(inputs.by_class)
    names = [inputs.class_name(int(index)) for index in table["class"]]
    return table.assign(**{"class": names})[["variant", "class", "added", "accuracy"]]


def _retention_plot(inputs: Inputs) -> pd.DataFrame:
    """A row a k, a column an embedder and property; shares of one."""
    table = inputs.frame(RETENTION)
    shares = [
        table.pivot(index="k", columns="embedder", values=f"{kept}_retention").add_suffix(f"_{kept}") for kept in KEPT
    ]
    return pd.concat(shares, axis=1).reset_index()


def _gains_plot(inputs: Inputs) -> pd.DataFrame:
    """ALER - BER of the classes in falling order, a column a model, grouping and depth (figures 8, 16 to 20).

    Shallow and deep are the least and the largest depth; ``classes`` is the share of the classes up to a row, in
    percent; only the features of the failure modes.
    """
    table = inputs.frame(BARLOW / "groups.parquet")
    table = table[(table["features"] == table["features"].iloc[0]) & (table["reason"] == "")]
    columns = {}
    for name, depth in (("shallow", table["depth"].min()), ("deep", table["depth"].max())):
        for (analysed, grouping), rows in table[table["depth"] == depth].groupby(["analysed", "grouping"]):
            falling = rows["gain"].sort_values(ascending=False, ignore_index=True)
            columns[f"{analysed}_{grouping}_{name}"] = falling
    wide = pd.DataFrame(
        columns, columns=[f"{a}_{g}_{d}" for a in ("original", "robust") for g in GROUPINGS for d in ENDS]
    )
    wide.insert(0, "classes", 100 * (wide.index + 1) / max(len(wide), 1))
    return wide


def _modes_plot(inputs: Inputs) -> pd.DataFrame:
    """A row a mode and variant: the original model's error rate and the variant's, in percent."""
    table = inputs.frame(REMEASURED)
    table = table[table["mode"] != "all"]
    before = table[table["variant"] == "original"].set_index("mode")["error_rate"]
    after = table[table["variant"] != "original"]
    shares = {"original": 100 * after["mode"].map(before), "error_rate": 100 * after["error_rate"]}
    return after.assign(**shares)[["mode", "variant", "original", "error_rate"]]


def _relations_plot(inputs: Inputs) -> pd.DataFrame:
    """A row a biased pair, run and level: divergence, mean cosine and rank among pairs of its label (figure 6)."""
    found, columns = Relations(inputs), ["pair", "tau", "kl", "mean", "rank"]
    if found.empty:
        return pd.DataFrame(columns=columns)
    table = found.planted
    names = table["attribute_a"] + "-" + table["attribute_b"] + ", random state " + table["random_state"].astype(str)
    return table.assign(pair=names)[columns]
