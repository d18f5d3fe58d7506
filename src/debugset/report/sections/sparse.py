"""Sparse decision layers: what they cost, what classes rest on, why predictions are wrong, and what blame is worth."""

from typing import Any

import pandas as pd
from markupsafe import Markup

from debugset.report import sparse_figures as figures
from debugset.report.drawing import drawing, svg
from debugset.report.explanations import CAVEAT, EXPLANATION_FILES, Explanation, read_explanations
from debugset.report.inputs import Inputs, records
from debugset.report.pictures import Tile, tile
from debugset.report.sparse_tables import LAYER_WORDS, SparseTables

SHORT = "Sparse layers"
TITLE = "Which few features each class rests on, and which make it err"
NEEDS = EXPLANATION_FILES
_REMOVAL_WORDS = {"zero": "to 0", "mean": "to its mean"}


def context(inputs: Inputs) -> dict[str, Any]:
    """The curve, the features of each class, cards of errors, and what removal, swaps and patches say."""
    tables = SparseTables(inputs)
    layers, model = tables.table("layers"), tables.models[0]
    return {
        "model": model,
        "curves_plot": _curves_plot(tables),
        "layers": records(layers.astype({"validation": object}).where(layers.notna(), None)),
        "layer_words": LAYER_WORDS,
        "removals_plot": _removals_plot(tables),
        "removal_rows": [(_REMOVAL_WORDS[removal], tables.removal_rows(removal)) for removal in _REMOVAL_WORDS],
        "classes": _classes(inputs, tables),
        "cards": _cards(inputs),
        "caveat": CAVEAT,
        "deletions": _deletions(tables, model),
        "blame": tables.measures("blame"),
        "removal_words": _REMOVAL_WORDS,
        "swaps": tables.measures("swaps"),
        "patches": _patches(tables),
    }


def _curves_plot(tables: SparseTables) -> Markup:
    with figures.curves_figure(tables) as figure:
        return svg(figure, "sparse-curves", "Accuracy against features a class, for each model.")


def _removals_plot(tables: SparseTables) -> Markup:
    rows = tables.removal_rows("zero")
    with drawing(1, 1, (9.6, 0.7 + 0.55 * len(rows))) as (figure, axes):
        figures.removals(axes[0], rows)
        return svg(figure, "sparse-removals", "Errors corrected by removing features, beside random features.")


def _classes(inputs: Inputs, tables: SparseTables) -> list[dict[str, Any]]:
    """Of each class that is shown: its name, and its features that are pictured with weight, share and pictures."""
    weights, classes = tables.shown_weights, []
    others = [class_ for class_ in range(len(inputs.classes)) if class_ not in inputs.debug_classes]
    for class_ in [*inputs.debug_classes, *others][: inputs.params.classes_shown]:
        rows = weights[weights["class"] == class_]
        features = [{**row, "lanes": tables.feature_lanes(row["feature"])} for row in records(rows)]
        classes.append({"name": inputs.class_name(class_), "features": features})
    return classes


def _cards(inputs: Inputs) -> list[tuple[Tile, Explanation]]:
    """Errors, each as a picture and with what corrects it."""
    cards = []
    for explanation in read_explanations(inputs):
        alt = f"{explanation.label}, taken for {explanation.predicted}"
        cards.append((tile(explanation.image, alt), explanation))
    return cards


def _deletions(tables: SparseTables, model: str) -> list[dict[str, Any]]:
    """What deleting weights of the model's chosen layer does to images that no blame came from."""
    table = tables.table("deletions")
    mine = (table["model"] == model) & (table["layer"] == "sparse") & (table["counted_on"] == "other")
    return records(table[mine])


def _patches(tables: SparseTables) -> list[dict[str, Any]]:
    """A row a layer of the first model: its name, and the flips by kind of patch."""
    rows: dict[str, dict[str, Any]] = {}
    table: pd.DataFrame = tables.table("patches")
    for row in records(table):
        name = tables.names[row["model"], row["layer"]]
        rows.setdefault(name, {"name": name, "kinds": {}})["kinds"][row["kind"]] = row
    return list(rows.values())
