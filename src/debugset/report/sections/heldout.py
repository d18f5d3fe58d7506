"""Held-out failures before and after: the proof as pictures."""

from typing import Any

import pandas as pd

from debugset.base.paths import HELDOUT_SOURCE, SETS
from debugset.images.sets import MANIFEST
from debugset.report.inputs import ACCURACY_FILES, Inputs, records
from debugset.report.pictures import Tile, tile

SHORT = "Held-out failures"
TITLE = "Held-out failures, before and after"
_HELDOUT_SET = SETS / HELDOUT_SOURCE
NEEDS = (_HELDOUT_SET / MANIFEST, *ACCURACY_FILES)


def context(inputs: Inputs) -> dict[str, Any]:
    """A random draw of mended and of still failing held-out images."""
    failures = inputs.failures[inputs.failures["role"] == "heldout"].sort_values("image_id")
    now = failures["image_id"].map(inputs.predicted_labels(inputs.chosen, HELDOUT_SOURCE))
    failures = failures.assign(now=now).dropna(subset="now")
    mended = failures["now"] == failures["class"]
    return {
        "total": len(failures),
        "outcomes": {
            "Now right": (int(mended.sum()), _tiles(inputs, failures[mended])),
            "Still wrong": (int((~mended).sum()), _tiles(inputs, failures[~mended])),
        },
    }


def _tiles(inputs: Inputs, failures: pd.DataFrame) -> list[Tile]:
    """A random draw of the failures."""
    images = inputs.images(_HELDOUT_SET)
    drawn = failures.iloc[inputs.generator().permutation(len(failures))[: inputs.params.examples]]
    tiles = []
    for failure in records(drawn.assign(row=images.rows_of(drawn["image_id"]))):
        label, before = inputs.class_name(failure["class"]), inputs.class_name(failure["predicted"])
        now = inputs.class_name(int(failure["now"]))
        mark = "right" if now == label else "wrong"
        caption = f"{label}; was {before}" if mark == "right" else f"{now}; is {label}"
        alt = f"{label}, taken for {before} before and for {now} after"
        tiles.append(tile(images.image(failure["row"]), alt, caption=caption, mark=mark, detail=alt))
    return tiles
