"""What the search brought and what became of it."""

from typing import Any

import numpy as np
import pandas as pd

from debugset.base.paths import DEDUP, POOL, SCRAPE
from debugset.report.inputs import SCORED, Inputs
from debugset.report.numbers import weak_label_precision
from debugset.report.pictures import Tile, tile
from debugset.report.seeds import verdict

SHORT = "The pool"
TITLE = "What was collected, and what became of it"
NEEDS = (POOL / "manifest.parquet", DEDUP / "keep.parquet", *SCORED)
REJECTED = {
    "licence": "licence not in scrape.licences",
    "outside_window": "uploaded at another time",
    "incomplete": "no owner, date or licence",
    "no_size": "no size of scrape.sizes",
    "too_small": "too small",
    "gone": "no longer there",
    "refused": "file refused by the service",
    "placeholder": 'a picture that says "unavailable"',
    "opted_out": "opted out of machine learning",
    "html": "a web page, no picture",
    "truncated": "cut short",
    "undecodable": "cannot be decoded",
    "too_large": "too many bytes",
    "too_many_pixels": "too many pixels",
    "duplicate": "the same bytes as an older photo",
}


def context(inputs: Inputs) -> dict[str, Any]:
    """Counts from search to picks, and examples of each fate."""
    scrape = inputs.json(SCRAPE) or {}
    embedder = inputs.chosen.removeprefix("dcd-")
    fates = _fates(inputs, embedder)
    steps = [(label, int(which.sum()), lost) for label, _, which, lost in fates]
    if scrape:
        steps = [*_steps_of_scrape(scrape), *steps]
    return {
        "steps": steps,
        "largest": max([count for _, count, _ in steps] or [1]) or 1,
        "precision": weak_label_precision(inputs),
        "fates": [(label, text, int(which.sum()), _tiles(inputs, which)) for label, text, which, _ in fates],
        "attributed": "owner_name" in inputs.pool.manifest,
        "lost_to_cap": scrape.get("lost_to_cap", 0),
        "forgotten": scrape.get("forgotten", 0),
    }


def _steps_of_scrape(scrape: dict[str, Any]) -> list[tuple[str, int, bool]]:
    """Label, count and whether it is a loss: what was found, and the reasons for rejection, the commonest first."""
    rejected = sorted(scrape["rejected"].items(), key=lambda item: (-item[1], item[0]))
    return [
        ("found", scrape["found"], False),
        ("found by several classes: dropped", scrape["cross_class_dropped"], True),
        *((f"rejected: {REJECTED.get(reason, reason)}", count, True) for reason, count in rejected),
    ]


def _fates(inputs: Inputs, embedder: str) -> list[tuple[str, str, np.ndarray, bool]]:
    """Name, explanation, mask over the pool, and whether it is a loss, of each fate of a packed image."""
    reason = inputs.keep["reason"].to_numpy(object)
    keep = inputs.keep["keep"].to_numpy(bool)
    train = _among(inputs, inputs.picks[embedder]) if embedder in inputs.picks else np.zeros(len(keep), bool)
    deval = _among(inputs, inputs.deval)
    return [
        (f"picked by {embedder}: debug-train", "Added to the training set.", train, False),
        (
            "picked by foundation: de-val",
            "Kept out of every training set, to choose the embedder.",
            deval,
            False,
        ),
        (
            "kept, not picked",
            "Similar to no failure, or other images are more similar.",
            keep & ~train & ~deval,
            False,
        ),
        ("leak: removed", "Too close to a test image to be new.", reason == "leak", True),
        ("duplicate: removed", "The same bytes as another photo of the pool.", reason == "duplicate", True),
    ]


def _among(inputs: Inputs, picks: pd.DataFrame) -> np.ndarray:
    """A mask over the pool: the images of some picks."""
    return inputs.keep["image_id"].isin(picks["image_id"]).to_numpy()


def _tiles(inputs: Inputs, which: np.ndarray) -> list[Tile]:
    """A random draw of pool images with their weak labels, wrong ones marked where the truth is known."""
    candidates = np.flatnonzero(which)
    drawn = inputs.generator().permutation(candidates)[: inputs.params.examples]
    manifest, tiles = inputs.pool.manifest, []
    for row in inputs.pool.rows_of(inputs.keep["image_id"].iloc[drawn]):
        weak = int(inputs.pool.labels[row])
        caption, mark = verdict(inputs, inputs.pool, int(row), weak)
        words = f"found as {inputs.class_name(weak)}" + (f", is {caption}" if mark == "wrong" else "")
        parts = [words]
        for name, heading in (
            ("title", "title"),
            ("owner_name", "by"),
            ("tags", "tags"),
            ("planted", "planted"),
        ):
            if name in manifest and manifest[name].iloc[row]:
                parts.append(f"{heading}: {manifest[name].iloc[row]}")
        tiles.append(tile(inputs, inputs.pool, int(row), words, caption=caption, mark=mark, detail="; ".join(parts)))
    return tiles
