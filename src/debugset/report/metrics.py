"""The metrics that git holds: few levels, rounded, equal bytes for equal results."""

import math
from typing import Any

from debugset.base.files import write_json
from debugset.base.paths import DEDUP, EVALUATION, METRICS, REMEASURED, RETENTION, SCRAPE
from debugset.relations.diagnosis import BLIND_SPOT, FAILURE_MODE
from debugset.report.inputs import Inputs, records
from debugset.report.modes import GROUPS, MODES
from debugset.report.numbers import RETENTION_KINDS, planted_scores, rule_gains, weak_label_precision
from debugset.report.relation_tables import RelationTables
from debugset.report.sparse_tables import SparseTables

DIGITS = 4
_WATCHED = ("heldout", "seed", "heldout_source", "test", "test_all", "deval")  # columns of the summary
_WATCHED_OF_LAYERS = {  # each number's place in `layers.json` below the model
    **{name: ("sparse", name) for name in ("features", "validation", "test", "diagnosis", "kkt")},
    "corrected": ("sparse", "removed_to_zero", "1", "share"),
    "corrected_by_chance": ("sparse", "removed_to_zero", "1", "chance"),
    "corrected_dense": ("dense", "removed_to_zero", "1", "share"),
    "test_dense": ("dense", "test"),
    "factor": ("sparse", "blame_to_zero", "factor", "value"),
    "hit_caused": ("sparse", "blame_to_zero", "hit_caused", "value"),
    "flips_unusual": ("sparse", "swaps", "flips_unusual", "value"),
}


def write(inputs: Inputs) -> None:
    """Write every metrics file."""
    for name, measure in _MEASURES.items():
        write_json(inputs.root / METRICS / f"{name}.json", measure(inputs), digits=DIGITS)


def _accuracy(inputs: Inputs) -> dict[str, Any]:
    """Every accuracy with its interval, each run's, and every paired difference, as shares of one; the chosen."""
    variants: dict[str, Any] = {variant: {} for variant in inputs.variants}
    for row in records(inputs.accuracy.dropna()):
        shares = _numbers(row, ("accuracy", "low", "high"), whole=100)
        variants[row["variant"]][row["column"]] = {**shares, "images": int(row["images"])}
    differences: dict[str, Any] = {}
    for row in records(inputs.differences.dropna()):
        columns = differences.setdefault(row["variant"], {}).setdefault(row["baseline"], {})
        columns[row["column"]] = _numbers(row, ("difference", "low", "high"), whole=100)
    runs: dict[str, Any] = {}
    for row in records(inputs.frame(EVALUATION / "by_run.parquet")):
        columns = runs.setdefault(row["variant"], {}).setdefault(str(row["random_state"]), {})
        columns[row["column"]] = row["accuracy"]
    return {"variants": variants, "runs": runs, "differences": differences, "chosen": inputs.chosen}


def _numbers(row: dict[str, Any], names: tuple[str, ...], whole: int = 1) -> dict[str, float]:
    """Those of the numbers that are defined and finite, which JSON can hold, as shares of ``whole``."""
    return {name: row[name] / whole for name in names if math.isfinite(row[name])}


def _summary(inputs: Inputs) -> dict[str, Any]:
    """The numbers to watch: accuracies by column and variant, and what the chosen variant gains."""
    summary: dict[str, Any] = {"chosen": inputs.chosen, "gain": {}, **{column: {} for column in _WATCHED}}
    for baseline in inputs.baselines:
        change = inputs.change(inputs.chosen, baseline, "heldout")
        if change is not None:
            summary["gain"][f"over_{baseline}"] = change["difference"] / 100
    for row in records(inputs.accuracy.dropna()):
        if row["column"] in _WATCHED:
            summary[row["column"]][row["variant"]] = row["accuracy"] / 100
    return summary


def _pool(inputs: Inputs) -> dict[str, Any]:
    """What was found, dropped, rejected, kept and added, and the share of right weak labels."""
    scrape = inputs.json(SCRAPE) or {}
    manifest, reason = inputs.pool.manifest, inputs.keep["reason"]
    bisections = [of_class["bisections"] for of_class in scrape.get("by_class", {}).values()]
    counts: dict[str, Any] = {
        "found": scrape.get("found"),
        "fewest_bisections_of_a_class": min(bisections, default=None),
        "cross_class_dropped": scrape.get("cross_class_dropped"),
        "rejected": scrape.get("rejected", {}),
        "images": len(manifest),
        "removed": {"duplicate": int((reason == "duplicate").sum()), "leak": int((reason == "leak").sum())},
        "kept": int(inputs.keep["keep"].sum()),
        "weak_label_precision": weak_label_precision(inputs),
        "added": {},
        "added_precision": {},
    }
    for variant, added in inputs.added.items():
        counts["added"][variant] = added["images"]
        counts["added_precision"][variant] = added["weak_label_precision"]
    if "planted" in manifest:
        counts["planted"] = manifest.loc[manifest["planted"] != "", "planted"].value_counts().to_dict()
    return counts


def _retention(inputs: Inputs) -> dict[str, Any]:
    """For every embedder, the shares of its neighbours that keep class and context, at both ends of k."""
    table = inputs.frame(RETENTION)
    shares: dict[str, Any] = {}
    for row in records(table[table["k"].isin([table["k"].min(), table["k"].max()])]):
        of_embedder = shares.setdefault(row["embedder"], {})
        for kind in RETENTION_KINDS:
            if not math.isnan(row[f"{kind}_retention"]):
                of_embedder[f"{kind}_at_{row['k']}"] = row[f"{kind}_retention"]
    return shares


def _leaks(inputs: Inputs) -> dict[str, Any]:
    """What the leak filter removed and how well it finds planted copies, as used and by the paper's rule."""
    return inputs.json(DEDUP / "scores.json") or {}


def _modes(inputs: Inputs) -> dict[str, Any]:
    """Failure modes found and held, every variant's error rate on their images, and the planted truth."""
    modes, remeasured = inputs.frame(MODES), inputs.frame(REMEASURED)
    together = remeasured[remeasured["mode"] == "all"]
    planted = {}
    for row in planted_scores(inputs):
        name = f"{row['features']}_{row['grouping']}_{row['depth']}"
        planted[name] = _numbers(row, ("precision", "recall", "base"))
    return {
        "found": len(modes),
        "hold": int(modes["holds"].sum()),
        "error_rate": dict(zip(together["variant"], together["error_rate"], strict=True)),
        "planted": planted,
    }


def _rules(inputs: Inputs) -> dict[str, Any]:
    """ALER - BER, held out and by chance, and the share of valid leaves, by model, features, grouping and depth."""
    rules: dict[str, Any] = {}
    for row in rule_gains(inputs.frame(GROUPS)):
        groupings = rules.setdefault(f"{row['analysed']}_by_{row['features']}", {})
        numbers = _numbers(row, ("gain", "heldout_gain", "chance_gain", "valid"))
        groupings.setdefault(row["grouping"], {})[f"depth_{row['depth']}"] = numbers
    return rules


def _relations(inputs: Inputs) -> dict[str, Any]:
    """Flaws found in unbiased networks, and the biased pairs' divergence, rank and mean cosine by level."""
    tables = RelationTables(inputs)
    if tables.empty:
        return {}
    unbiased = tables.runs[tables.runs["tau"] == 0]["name"]
    pairs = tables.table("pairs")
    flaws = pairs[pairs["run"].isin(unbiased)]["kind"]
    levels: dict[str, Any] = {}
    for row in records(tables.biased_pairs):
        series = levels.setdefault(_series_name(row["attribute_a"], row["attribute_b"], row["random_state"]), {})
        for measure, value in _numbers(row, ("kl", "mean", "rank")).items():  # none where no image shows either
            series[f"tau_{row['tau']:g}_{measure}"] = value
    falls = {}
    for series_key, correlation in tables.level_correlations().items():
        if not math.isnan(correlation):
            falls[_series_name(*series_key)] = correlation
    return {
        "kept": float(tables.table("attributes")["kept"].median()),
        "residual": float(tables.table("attributes")["residual"].max()),
        "unbiased": {kind: int((flaws == kind).sum()) for kind in (BLIND_SPOT, FAILURE_MODE)},
        "biased": levels,
        "fall": falls,
    }


def _sparse(inputs: Inputs) -> dict[str, Any]:
    """The numbers to watch of each model's chosen layer, and of the dense one where the two are compared."""
    watched: dict[str, Any] = {}
    for model, layers in _layers(inputs).items():
        numbers = {name: _number_at(layers, place) for name, place in _WATCHED_OF_LAYERS.items()}
        watched[model] = {name: number for name, number in numbers.items() if number is not None}
    return watched


def _number_at(numbers: Any, place: tuple[str, ...]) -> float | None:
    """A number in nested mappings; None where it is not defined."""
    for name in place:
        if name not in numbers:
            return None
        numbers = numbers[name]
    return numbers


def _layers(inputs: Inputs) -> dict[str, Any]:
    """Of every layer its features, accuracies, errors, what corrects them, what planted truth and patches say."""
    tables = SparseTables(inputs)
    found: dict[str, Any] = {}
    for row in records(tables.table("layers")):
        numbers = _numbers(row, ("features", "validation", "test", "diagnosis", "kkt"))
        found.setdefault(row["model"], {})[row["layer"]] = numbers
    for row in records(tables.table("removal_shares")):
        found[row["model"]][row["layer"]]["errors"] = row["errors"]
        share = _numbers(row, ("share", "low", "high", "chance"))
        _below(found, row, f"removed_to_{row['removal']}")[str(row["removed"])] = share
    for row in records(tables.planted("blame")):
        of_removal = _below(found, row, f"blame_to_{row['removal']}")
        of_removal[row["measure"]] = _numbers(row, ("value", "low", "high", "chance"))
    for row in records(tables.planted("swaps")):
        _below(found, row, "swaps")[row["measure"]] = _numbers(row, ("value", "low", "high", "chance"))
    for row in records(tables.table("patches")):
        _below(found, row, "patches")[row["kind"]] = _numbers(row, ("flipped", "low", "high"))
    return found


def _below(found: dict[str, Any], row: dict[str, Any], name: str) -> dict[str, Any]:
    """The part of a layer's numbers of that name."""
    return found[row["model"]][row["layer"]].setdefault(name, {})


def _series_name(a: str, b: str, random_state: int) -> str:
    return f"{a}-{b}_random_state_{random_state}"


_MEASURES = {
    "accuracy": _accuracy,
    "summary": _summary,
    "pool": _pool,
    "leaks": _leaks,
    "retention": _retention,
    "modes": _modes,
    "rules": _rules,
    "relations": _relations,
    "sparse": _sparse,
    "layers": _layers,
}
