"""Sparse decision layers: what they cost, what classes rest on, why predictions are wrong, and what blame is worth."""

from typing import Any

import pandas as pd
from markupsafe import Markup

from debugset.base.paths import DIAGNOSIS, SETS, SPARSE
from debugset.report import sparse_figures as figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import CLASS_NAMES, Inputs, records
from debugset.report.pictures import Lane, tile
from debugset.report.sparse_tables import LAYER_WORDS, SparseTables

SHORT = "Sparse layers"
TITLE = "Which few features each class rests on, and which make it err"
NEEDS = (SPARSE, CLASS_NAMES, SETS / DIAGNOSIS)
_LANES_OF_A_CARD = 3
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
        "cards": _cards(inputs, tables),
        "deletions": _deletions(tables, model),
        "blame": tables.measures("blame"),
        "removal_words": _REMOVAL_WORDS,
        "swaps": tables.measures("swaps"),
        "patches": _patches(tables),
    }


def _curves_plot(tables: SparseTables) -> Markup:
    models = len(tables.models)
    with drawing(1, models, (3.2 * models, 3.2), sharey=True) as (figure, axes):
        figures.curves(axes, tables.table("path"), tables.table("layers"))
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


def _cards(inputs: Inputs, tables: SparseTables) -> list[dict[str, Any]]:
    """Errors with what is removed, and the largest contributions to the predicted and to the true class."""
    images = inputs.images(SETS / DIAGNOSIS)
    cards = []
    for _, rows in tables.table("cards").groupby("card", sort=False):
        first = records(rows)[0]
        row = int(images.rows_of([first["image_id"]])[0])
        label, predicted = inputs.class_name(first["label"]), inputs.class_name(first["predicted"])
        removed = records(rows[rows["role"] == "removed"])
        cards.append(
            {
                "image": tile(images.image(row).convert("RGB"), f"{label}, taken for {predicted}"),
                "image_id": first["image_id"],
                "label": label,
                "predicted": predicted,
                "removed": [one["feature"] for one in removed],
                "lanes": [_sees(tables, one["feature"]) for one in removed[:_LANES_OF_A_CARD]],
                "for_predicted": records(rows[rows["role"] == "predicted"]),
                "for_true": records(rows[rows["role"] == "true"]),
            }
        )
    return cards


def _sees(tables: SparseTables, feature: int) -> Lane:
    """The images that activate a removed feature most."""
    return tables.lane(feature, "activating", f"feature {feature} is strongest in")


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
