"""Seeds with their picks for each embedder: what the embedders call similar."""

from typing import Any

import pandas as pd

from debugset.base.paths import POOL, SEED_SOURCE, SETS
from debugset.report.inputs import SCORED, Inputs
from debugset.report.pictures import tile
from debugset.report.seeds import SEED_SET, Seed, nearest_picks, shown_seeds, verdict

SHORT = "Failures and picks"
TITLE = "What failed, and what was collected for it"
NEEDS = (SETS / SEED_SOURCE / "manifest.parquet", POOL / "manifest.parquet", *SCORED)


def context(inputs: Inputs) -> dict[str, Any]:
    """A row a seed, a lane an embedder, and what all picks of each embedder are worth."""
    return {
        "rows": [_row(inputs, seed) for seed in shown_seeds(inputs)],
        "picks_shown": inputs.params.picks_shown,
        "totals": {name: _totals(inputs, picks) for name, picks in inputs.picks.items()},
        "truth_known": "true_label" in inputs.pool.manifest,
        "chosen": inputs.chosen.removeprefix("dcd-"),
    }


def _row(inputs: Inputs, seed: Seed) -> dict[str, Any]:
    label, predicted = inputs.class_name(seed.label), inputs.class_name(seed.predicted)
    images = inputs.images(SEED_SET)
    known = images.manifest
    return {
        "picture": tile(inputs, images, seed.row, f"failure: {label} taken for {predicted}"),
        "label": label,
        "predicted": predicted,
        "context": known["context"].iloc[seed.row] if "context" in known else "",
        "lanes": [_lane(inputs, name, seed) for name in inputs.picks],
    }


def _lane(inputs: Inputs, embedder: str, seed: Seed) -> dict[str, Any]:
    tiles = []
    for _, pick in nearest_picks(inputs, embedder, seed).iterrows():
        row = int(pick["row"])
        caption, mark = verdict(inputs, inputs.pool, row, int(pick["class"]))
        words = f"pick {int(pick['rank']) + 1}: found as {inputs.class_name(int(inputs.pool.labels[row]))}"
        words += f", is {caption}" if mark else ""
        detail = f"{words}; squared distance {pick['distance']:.3g}{_described(inputs, row)}"
        tiles.append(tile(inputs, inputs.pool, row, words, caption=caption, mark=mark, detail=detail))
    now = inputs.predicted(f"dcd-{embedder}", "seed_source").get(seed.image_id)
    return {
        "embedder": embedder,
        "tiles": tiles,
        "now": None if now is None else inputs.class_name(int(now)),
        "mended": now == seed.label,
    }


def _described(inputs: Inputs, row: int) -> str:
    """What the source says of a photo, for its tool tip."""
    manifest = inputs.pool.manifest
    words = [f"; {name}: {manifest[name].iloc[row]}" for name in ("context", "title") if name in manifest]
    return "".join(words)


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
