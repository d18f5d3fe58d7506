"""Seeds with their picks for each embedder: what the embedders call similar."""

from typing import Any

import pandas as pd

from debugset.base.paths import SEED_SOURCE
from debugset.dcd.variants import DCD
from debugset.images.sets import MANIFEST
from debugset.report.inputs import ACCURACY_FILES, POOL_MANIFEST, Inputs, records
from debugset.report.pictures import tile
from debugset.report.pool_photos import caption_and_mark, pool_tile, source_words
from debugset.report.seeds import SEED_SET, Seed, draw_seeds, nearest_picks

SHORT = "Failures and picks"
TITLE = "What failed, and what was collected for it"
NEEDS = (SEED_SET / MANIFEST, POOL_MANIFEST, *ACCURACY_FILES)
TOOL_TIP = {"context": "context", "title": "title"}  # columns and their headings


def context(inputs: Inputs) -> dict[str, Any]:
    """A row a seed, a lane an embedder, and what all picks of each embedder are worth."""
    return {
        "rows": [_row(inputs, seed) for seed in draw_seeds(inputs)],
        "totals": {name: _totals(inputs, picks) for name, picks in inputs.picks.items()},
        "truth_known": "true_label" in inputs.pool.manifest,
    }


def _row(inputs: Inputs, seed: Seed) -> dict[str, Any]:
    label, predicted = inputs.class_name(seed.label), inputs.class_name(seed.predicted)
    images = inputs.images(SEED_SET)
    manifest = images.manifest
    return {
        "picture": tile(images.image(seed.row), f"failure: {label} taken for {predicted}"),
        "label": label,
        "predicted": predicted,
        "context": manifest["context"].iloc[seed.row] if "context" in manifest else "",
        "lanes": [_lane(inputs, embedder, seed) for embedder in inputs.picks],
    }


def _lane(inputs: Inputs, embedder: str, seed: Seed) -> dict[str, Any]:
    """A seed's nearest picks by an embedder, and what the variant trained with them says of the seed."""
    tiles = []
    for pick in records(nearest_picks(inputs, embedder, seed)):
        row = pick["row"]
        caption, mark = caption_and_mark(inputs, row, pick["class"])
        words = f"pick {pick['rank'] + 1}: found as {inputs.class_name(int(inputs.pool.labels[row]))}"
        if mark:
            words += f", is {caption}"
        detail = f"{words}; squared distance {pick['distance']:.3g}{source_words(inputs, row, TOOL_TIP)}"
        tiles.append(pool_tile(inputs, row, words, caption=caption, mark=mark, detail=detail))
    now = inputs.predicted_labels(DCD + embedder, SEED_SOURCE).get(seed.image_id)
    return {
        "embedder": embedder,
        "tiles": tiles,
        "now": None if now is None else inputs.class_name(now),
        "mended": now == seed.label,
    }


def _totals(inputs: Inputs, picks: pd.DataFrame) -> dict[str, Any]:
    """Counts of an embedder's debug-train picks, and the shares with the right class and context."""
    manifest = inputs.pool.manifest
    rows = inputs.pool.rows_of(picks["image_id"])
    totals: dict[str, Any] = {"images": len(picks), "seeds": picks.groupby(["seed_set", "seed_id"]).ngroups}
    if "true_label" in manifest and len(picks):
        right = manifest["true_label"].to_numpy()[rows] == picks["class"].to_numpy()
        totals["right_class"] = float(right.mean())
    seeds = inputs.images(SEED_SET)
    of_seeds = (picks["seed_set"] == SEED_SOURCE).to_numpy()  # the others are for failures of a mended mode
    if "context" in manifest and "context" in seeds.manifest and of_seeds.any():
        wanted = seeds.manifest["context"].to_numpy()[seeds.rows_of(picks["seed_id"][of_seeds])]
        totals["same_context"] = float((manifest["context"].to_numpy()[rows[of_seeds]] == wanted).mean())
    return totals
