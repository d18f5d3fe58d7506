"""The embedders: whose neighbours keep class and context (figure 7), and what they are."""

from typing import Any

from debugset.base.paths import MODELS, RETENTION
from debugset.dcd.variants import EMBEDDERS
from debugset.report import figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import Inputs
from debugset.report.numbers import KEPT

SHORT = "Embedders"
TITLE = "What the embedders call similar"
NEEDS = (RETENTION,)


def context(inputs: Inputs) -> dict[str, Any]:
    """The retention plot and table, and a line on each embedder's model."""
    table = inputs.frame(RETENTION)
    kinds = {kind: name for kind, name in KEPT.items() if table[f"{kind}_retention"].notna().any()}
    with drawing(1, len(kinds), (9.6, 3.2)) as (figure, axes):
        figures.retention(axes, table, kinds)
        plot = svg(figure, "retention", "Shares of the nearest neighbours that keep class and context, by k.")
    ks = sorted(table["k"].unique())
    by_k = table.set_index(["embedder", "k"])
    return {
        "plot": plot,
        "kinds": kinds,
        "ks": ks,
        "rows": {
            name: [[by_k[f"{kind}_retention"].get((name, k)) for k in ks] for kind in kinds]
            for name in table["embedder"].unique()
        },
        "models": _models(inputs),
    }


def _models(inputs: Inputs) -> dict[str, dict[str, Any]]:
    """Architecture, origin of the weights and what was measured of each model."""
    found = {}
    for name in EMBEDDERS:
        model = inputs.json(MODELS / f"{name}/model.json")
        if model is not None:
            found[name] = {
                "architecture": model.get("architecture", {}).get("timm_name", model.get("name", "")),
                "origin": model.get("origin", ""),
                "scores": model.get("scores") or {},
            }
    return found
