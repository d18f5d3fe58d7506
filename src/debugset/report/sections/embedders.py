"""The embedders: whose neighbours keep class and context (figure 7), and what they are."""

from typing import Any

from debugset.base.paths import MODELS, RETENTION
from debugset.dcd.variants import EMBEDDERS
from debugset.report import figures
from debugset.report.drawing import drawing, svg
from debugset.report.inputs import Inputs
from debugset.report.numbers import RETENTION_KINDS

SHORT = "Embedders"
TITLE = "What the embedders call similar"
NEEDS = (RETENTION,)


def context(inputs: Inputs) -> dict[str, Any]:
    """The retention plot and table, and a line on each embedder's model."""
    table = inputs.frame(RETENTION)
    kinds = {kind: words for kind, words in RETENTION_KINDS.items() if table[f"{kind}_retention"].notna().any()}
    with drawing(1, len(kinds), (9.6, 3.2)) as (figure, axes):
        figures.retention(axes, table, kinds)
        plot = svg(figure, "retention", "Shares of the nearest neighbours that keep class and context, by k.")
    return {
        "plot": plot,
        "kinds": kinds,
        "ks": sorted(table["k"].unique()),
        "embedders": table["embedder"].unique(),
        "shares": table.set_index(["embedder", "k"]).to_dict("index"),
        "models": _models(inputs),
    }


def _models(inputs: Inputs) -> dict[str, dict[str, Any]]:
    """Architecture, origin of the weights and what was measured of each model."""
    models = {}
    for name in EMBEDDERS:
        model = inputs.json(MODELS / f"{name}/model.json")
        if model is not None:
            models[name] = {
                "architecture": model.get("architecture", {}).get("timm_name", model.get("name", "")),
                "origin": model.get("origin", ""),
                "scores": model.get("scores") or {},
            }
    return models
