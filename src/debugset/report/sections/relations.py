"""Relations between attributes: learned ones against true ones (Zhang, Wang and Zhu 2018, figures 3 to 8, table 1)."""

import io
from typing import Any

import pandas as pd
from PIL import Image

from debugset.base.paths import RELATIONS
from debugset.relations.accuracy import OURS
from debugset.report import relation_figures as figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import Inputs
from debugset.report.pictures import Tile, data_uri
from debugset.report.relations import METHODS, Relations, mode_words

SHORT = "Relations"
TITLE = "Which attributes the network confuses with each other"
NEEDS = (RELATIONS,)
HISTOGRAMS = 4


def context(inputs: Inputs) -> dict[str, Any]:
    """The graph, the divergences, the flaws in words, what they cost, and where the network looks."""
    found = Relations(inputs)
    if found.empty:
        return {"empty": True}
    names = {run["name"]: run_words(run) for run in found.shown}
    return {
        "empty": False,
        "graph_plot": graph_plot(found),
        "levels_plot": _levels_plot(found, names),
        "histograms_plot": _histograms_plot(found, names),
        "networks": [_network(found, run, words) for run, words in names.items()],
        "costs": _costs(found),
        "methods": METHODS,
        "falls": found.falls(),
    }


def run_words(run: dict[str, Any]) -> str:
    """A network by its training set."""
    return f"{run['attribute_a']}-{run['attribute_b']}, tau {run['tau']:g}" if run["tau"] else "unbiased"


def graph_plot(found: Relations) -> Any:
    """Figure 4: the true relations, and those of every network shown."""
    rows, columns = found.grid
    with drawing(rows, columns, (3.3 * columns, 3.2 * rows)) as (figure, axes):
        draw_graphs(axes, found)
        return svg(
            figure, "relations-graph", "Attributes as points, relations as lines: true ones, and those of each network."
        )


def draw_graphs(axes: list[Any], found: Relations) -> None:
    """The graphs of figure 4 on given axes: expectation first."""
    attributes = found.of(found.table("attributes"), found.shown[0]["name"])["attribute"].tolist()
    first = found.of(found.pairs, found.shown[0]["name"])
    figures.graph(axes[0], "expected of each label", first, "expected_mean", attributes)
    for panel in axes[1 + len(found.shown) :]:
        panel.set_axis_off()
    for panel, run in zip(axes[1:], found.shown, strict=False):
        figures.graph(panel, f"mined: {run_words(run)}", found.of(found.pairs, run["name"]), "mean", attributes)


def _levels_plot(found: Relations, names: dict[str, str]) -> Any:
    tables = found.table("attributes")
    divergences = {words: found.of(tables, run).set_index("attribute")["kl"] for run, words in names.items()}
    height = max(3.6, 0.17 * tables["attribute"].nunique())
    with drawing(1, 2 if len(found.planted) else 1, (9.6, height)) as (figure, axes):
        figures.by_attribute(axes[-1], divergences)
        if len(found.planted):
            figures.levels(axes[0], found.planted)
        return svg(figure, "relations-levels", "Divergence of biased pairs by level of bias, and of every attribute.")


def _histograms_plot(found: Relations, names: dict[str, str]) -> Any:
    """The pairs that deviate most in the last network: the worst of every label, then the next ones."""
    pairs = found.of(found.pairs, found.shown[-1]["name"]).sort_values(["rank", "kl"], ascending=[True, False])
    pairs = pairs[pairs["images"] > 0].head(HISTOGRAMS)
    if pairs.empty:
        return None
    first, last = found.shown[0]["name"], found.shown[-1]["name"]
    tables = {names[run]: found.of(found.table("histograms"), run) for run in dict.fromkeys((first, last))}
    with drawing(1, len(pairs), (2.4 * len(pairs), 2.4)) as (figure, axes):
        figures.histograms(axes, pairs, tables)
        return svg(figure, "relations-histograms", "Images by the cosine of the inference patterns of some pairs.")


def _network(found: Relations, run: str, words: str) -> dict[str, Any]:
    """A network's flaws, and heat maps of some pairs."""
    pairs = found.of(found.pairs, run)
    modes = found.of(found.table("modes"), run)
    costs = modes[modes["method"] == OURS].set_index(["attribute_a", "attribute_b"]).to_dict("index")
    flaws = [
        {
            **{str(key): value for key, value in row.items()},
            "words": mode_words(row["attribute_a"], row["attribute_b"], row["mode"]),
            **{name: costs.get(pair, {}).get(name) for name in ("decrease", "test_images")},
        }
        for pair, row in _flawed(pairs)
    ]
    attributes = found.of(found.table("attributes"), run)
    return {
        "words": words,
        "flaws": flaws,
        "pairs": len(pairs),
        "accuracy": attributes["accuracy"].mean(),
        "kept": attributes["kept"].agg(["median", "min", "max"]).to_dict(),
        "residual": attributes["residual"].max(),
        "maps": _maps(found, run),
    }


def _flawed(pairs: pd.DataFrame) -> list[tuple[tuple[str, str], dict[str, Any]]]:
    """The pairs with a blind spot or failure mode, the worst of each label first."""
    flawed = pairs[pairs["kind"] != ""].sort_values(["rank", "kl"], ascending=[True, False])
    rows: list[Any] = flawed.to_dict("records")
    return [((row["attribute_a"], row["attribute_b"]), row) for row in rows]


def _maps(found: Relations, run: str) -> list[dict[str, Any]]:
    """A lane of images, then a lane of maps for each attribute, by pair."""
    shown = []
    for (a, b), mine in found.of(found.table("maps"), run).groupby(["attribute_a", "attribute_b"], sort=False):
        lanes = [
            (attribute or "image", _tiles(rows, attribute or "image"))
            for attribute, rows in ((str(name), rows) for name, rows in mine.groupby("attribute", sort=False))
        ]
        shown.append({"title": f"{a} - {b}", "lanes": lanes})
    return shown


def _tiles(rows: pd.DataFrame, words: str) -> list[Tile]:
    return [Tile(*data_uri(Image.open(io.BytesIO(content)).convert("RGB")), alt=words) for content in rows["png"]]


def _costs(found: Relations) -> list[dict[str, Any]]:
    """Table 1 with a row a level and top: the cells of every method."""
    table = found.costs()
    rows = []
    for (tau, top), mine in table.groupby(["tau", "top"], sort=False):
        cells = {row["method"]: {str(key): value for key, value in row.items()} for row in mine.to_dict("records")}
        rows.append({"tau": tau, "top": top, "cells": cells})
    return rows
