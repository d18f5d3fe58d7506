"""What the search brought and what became of it."""

from typing import Any

import numpy as np
import pandas as pd

from debugset.base.paths import SCRAPE
from debugset.pool.fault import Fault
from debugset.report.inputs import ACCURACY_FILES, KEEP, POOL_MANIFEST, Inputs
from debugset.report.numbers import weak_label_precision
from debugset.report.pictures import Tile
from debugset.report.pool_photos import caption_and_mark, pool_tile, source_words

SHORT = "The pool"
TITLE = "What was collected, and what became of it"
NEEDS = (POOL_MANIFEST, KEEP, *ACCURACY_FILES)
TOOL_TIP = {"title": "title", "owner_name": "by", "tags": "tags", "planted": "planted"}  # columns and their headings


def context(inputs: Inputs) -> dict[str, Any]:
    """Counts from search to picks, and examples of each fate."""
    scrape = inputs.json(SCRAPE) or {}
    steps = _steps_of_scrape(scrape) if scrape else []
    fates = []
    for name, text, which, lost in _fates(inputs):
        count = int(which.sum())
        steps.append((name, count, lost))
        fates.append((name, text, count, _tiles(inputs, which)))
    return {
        "steps": steps,
        "largest": max(1, *(count for _, count, _ in steps)),
        "precision": weak_label_precision(inputs),
        "fates": fates,
        "attributed": "owner_name" in inputs.pool.manifest,
        "lost_to_cap": scrape.get("lost_to_cap", 0),
        "forgotten": scrape.get("forgotten", 0),
    }


def _steps_of_scrape(scrape: dict[str, Any]) -> list[tuple[str, int, bool]]:
    """Label, count and whether it is a loss: what was found, and the reasons for rejection, the commonest first."""
    steps = [
        ("found", scrape["found"], False),
        ("found by several classes: dropped", scrape["cross_class_dropped"], True),
    ]
    for reason, count in sorted(scrape["rejected"].items(), key=lambda item: (-item[1], item[0])):
        steps.append((f"rejected: {Fault(reason).text}", count, True))
    return steps


def _fates(inputs: Inputs) -> list[tuple[str, str, pd.Series, bool]]:
    """What became of the packed images: in short, in words, which rows of `Inputs.keep`, and whether it is a loss."""
    embedder, images, reason = inputs.chosen_embedder, inputs.keep["image_id"], inputs.keep["reason"]
    train = images.isin(inputs.picks[embedder]["image_id"] if embedder in inputs.picks else [])
    deval = images.isin(inputs.deval["image_id"])
    rest = inputs.keep["keep"] & ~train & ~deval
    return [
        (f"picked by {embedder}: debug-train", "Added to the training set.", train, False),
        ("picked by foundation: de-val", "Kept out of every training set, to choose the embedder.", deval, False),
        ("kept, not picked", "Similar to no failure, or other images are more similar.", rest, False),
        ("leak: removed", "Too close to a test image to be new.", reason == "leak", True),
        ("duplicate: removed", "The same bytes as another photo of the pool.", reason == "duplicate", True),
    ]


def _tiles(inputs: Inputs, which: pd.Series) -> list[Tile]:
    """A random draw of pool images with their weak labels, wrong ones marked where the truth is known."""
    drawn = inputs.generator().permutation(np.flatnonzero(which))[: inputs.params.examples]
    tiles = []
    for row in inputs.pool.rows_of(inputs.keep["image_id"].iloc[drawn]).tolist():
        weak = int(inputs.pool.labels[row])
        caption, mark = caption_and_mark(inputs, row, weak)
        words = f"found as {inputs.class_name(weak)}"
        if mark == "wrong":
            words += f", is {caption}"
        detail = words + source_words(inputs, row, TOOL_TIP)
        tiles.append(pool_tile(inputs, row, words, caption=caption, mark=mark, detail=detail))
    return tiles
