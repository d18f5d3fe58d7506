"""The first screen: what failed, what was collected, what it gained."""

from typing import Any

from debugset.base.paths import POOL
from debugset.report.inputs import SCORED, Inputs
from debugset.report.pictures import Tile, tile
from debugset.report.seeds import SEED_SET, nearest_picks, shown_seeds, verdict

SHORT = "In short"
TITLE = "In short"
NEEDS = SCORED


def context(inputs: Inputs) -> dict[str, Any]:
    """The headline numbers and one failure with its picks."""
    chosen = inputs.chosen
    roles = inputs.failures["role"].value_counts()
    return {
        "chosen": chosen,
        "embedder": chosen.removeprefix("dcd-"),
        "seeds": int(roles.get("seed", 0)),
        "heldout": int(roles.get("heldout", 0)),
        "classes": [inputs.class_name(index) for index in inputs.debug_classes],
        "score": {name: inputs.score(name, "heldout") for name in inputs.variants},
        "test": {name: inputs.score(name, "test") for name in inputs.variants},
        "test_change": inputs.change(chosen, "original", "test"),
        "gains": {
            baseline: inputs.change(chosen, baseline, "heldout") for baseline in ("retrain", "random", "complete")
        },
        "added": inputs.added.get(chosen, {}),
        "story": _story(inputs, chosen.removeprefix("dcd-")),
    }


def _story(inputs: Inputs, embedder: str) -> dict[str, Any] | None:
    """The first shown seed that the chosen variant mends, its picks, and the labels before and after."""
    if inputs.missing((SEED_SET, POOL)) or embedder not in inputs.picks:
        return None
    now = inputs.predicted(f"dcd-{embedder}", "seed_source")
    images = inputs.images(SEED_SET)
    for seed in shown_seeds(inputs):
        picks = nearest_picks(inputs, embedder, seed)
        if now.get(seed.image_id) != seed.label or picks.empty:
            continue
        label = inputs.class_name(seed.label)
        tiles: list[Tile] = []
        for row in picks["row"].head(4).tolist():
            caption, mark = verdict(inputs, inputs.pool, row, seed.label)
            tiles.append(tile(inputs, inputs.pool, row, f"pick from the pool: {caption}", caption=caption, mark=mark))
        return {
            "failure": tile(inputs, images, seed.row, f"a failure: {label}"),
            "label": label,
            "predicted": inputs.class_name(seed.predicted),
            "picks": tiles,
        }
    return None
