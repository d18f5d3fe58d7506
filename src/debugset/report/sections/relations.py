"""Relations between attributes: learned ones against true ones (Zhang, Wang and Zhu 2018, figures 3 to 8, table 1)."""

from typing import Any

from markupsafe import Markup

from debugset.base.paths import RELATIONS
from debugset.relations.accuracy import OURS
from debugset.report import relation_figures as figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import Inputs, records
from debugset.report.pictures import Lane, decode_lane
from debugset.report.relation_tables import METHOD_WORDS, PAIR, RelationTables, mode_words, run_words

SHORT = "Relations"
TITLE = "Which attributes the network confuses with each other"
NEEDS = (RELATIONS,)
_HISTOGRAMS = 4


def context(inputs: Inputs) -> dict[str, Any]:
    """The graph, the divergences, the flaws in words, what they cost, and where the network looks."""
    tables = RelationTables(inputs)
    if tables.empty:
        return {"empty": True}
    with figures.graphs_figure(tables) as figure:
        alt = "Attributes as points, relations as lines: true ones, and those of each network."
        graph_plot = svg(figure, "relations-graph", alt)
    return {
        "empty": False,
        "graph_plot": graph_plot,
        "levels_plot": _levels_plot(tables),
        "histograms_plot": _histograms_plot(tables),
        "networks": [_network(tables, run) for run in tables.shown_runs],
        "mode_words": mode_words,
        "costs": _costs(tables),
        "methods": METHOD_WORDS,
        "falls": list(tables.level_correlations().values()),
    }


def _levels_plot(tables: RelationTables) -> Markup:
    divergences = {}
    for run in tables.shown_runs:
        divergences[run_words(run)] = tables.of_run("attributes", run["name"]).set_index("attribute")["kl"]
    biased = tables.biased_pairs
    height = max(3.6, 0.17 * tables.table("attributes")["attribute"].nunique())  # inches, so that no names meet
    with drawing(1, 2 if len(biased) else 1, (9.6, height)) as (figure, axes):
        figures.by_attribute(axes[-1], divergences)
        if len(biased):
            figures.levels(axes[0], biased)
        return svg(figure, "relations-levels", "Divergence of biased pairs by level of bias, and of every attribute.")


def _histograms_plot(tables: RelationTables) -> Markup | None:
    """The pairs that deviate most in the last network: the worst of every label, then the next ones."""
    first, last = tables.shown_runs[0], tables.shown_runs[-1]
    pairs = tables.of_run("pairs", last["name"]).sort_values(["rank", "kl"], ascending=[True, False])
    pairs = pairs[pairs["images"] > 0].head(_HISTOGRAMS)
    if pairs.empty:
        return None
    counts = {}
    for run in (first, last):
        counts[run_words(run)] = tables.of_run("histograms", run["name"])
    with drawing(1, len(pairs), (2.4 * len(pairs), 2.4)) as (figure, axes):
        figures.histograms(axes, pairs[[*PAIR, "relation"]], counts)
        return svg(figure, "relations-histograms", "Images by the cosine of the inference patterns of some pairs.")


def _network(tables: RelationTables, run: dict[str, Any]) -> dict[str, Any]:
    """A network's flaws, the worst of each label first, and heat maps of some pairs."""
    pairs, modes = tables.of_run("pairs", run["name"]), tables.of_run("modes", run["name"])
    flaws = pairs[pairs["kind"] != ""].sort_values(["rank", "kl"], ascending=[True, False])
    costs = modes.loc[modes["method"] == OURS, [*PAIR, "decrease", "test_images"]]
    attributes = tables.of_run("attributes", run["name"])
    return {
        "words": run_words(run),
        "flaws": records(flaws.merge(costs, how="left", on=PAIR).fillna({"test_images": 0})),
        "pairs": len(pairs),
        "accuracy": attributes["accuracy"].mean(),
        "kept": attributes["kept"].agg(["median", "min", "max"]).to_dict(),
        "residual": attributes["residual"].max(),
        "maps": _maps(tables, run["name"]),
    }


def _maps(tables: RelationTables, run: str) -> list[tuple[str, list[Lane]]]:
    """A lane of images, then a lane of maps for each attribute, by pair."""
    maps = []
    for (a, b), of_pair in tables.of_run("maps", run).groupby(PAIR, sort=False):
        lanes = []
        for attribute, rows in of_pair.groupby("attribute", sort=False):
            lanes.append(decode_lane(str(attribute) or "image", rows["png"]))
        maps.append((f"{a} - {b}", lanes))
    return maps


def _costs(tables: RelationTables) -> dict[tuple[float, int], dict[str, Any]]:
    """Table 1: by level and top, the numbers of every method."""
    costs: dict[tuple[float, int], dict[str, Any]] = {}
    for row in records(tables.costs()):
        costs.setdefault((row["tau"], row["top"]), {})[row["method"]] = row
    return costs
