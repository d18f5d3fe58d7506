"""Failure modes with their pictures, as the page and the cards show them."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from PIL import Image

from debugset.base.paths import BARLOW, SETS, TEST
from debugset.report.inputs import Inputs

MODES = (
    BARLOW / "modes.parquet",
    BARLOW / "groups.parquet",
    BARLOW / "pictures.parquet",
    SETS / TEST / "manifest.parquet",  # it has the names of the classes
)
LANES = {
    "activating": "strongest in the group",
    "heatmap": "where: its map",
    "gradient": "where: its gradient",
    "attack": "pictures changed to raise it",
}
FAILURES = "failures the rule holds for"


@dataclass(frozen=True)
class Lane:
    """A row of pictures.

    Attributes:
        title: what they are.
        images: decoded.
        captions: a line under each; may be empty.
    """

    title: str
    images: list[Image.Image]
    captions: list[str]


@dataclass(frozen=True)
class Mode:
    """A failure mode, ready to be shown.

    Attributes:
        row: its row of the modes' table.
        title: the group and the rule in words.
        lanes: its pictures; empty where none were made.
    """

    row: dict[str, Any]
    title: str
    lanes: list[Lane]


def modes(inputs: Inputs, limit: int | None = None) -> Iterator[Mode]:
    """The ``limit`` most important failure modes; all of them if it is None."""
    table = inputs.frame(BARLOW / "modes.parquet")[:limit]
    pictures = inputs.frame(BARLOW / "pictures.parquet")
    for row in table.to_dict("records"):
        shown = {str(key): value for key, value in row.items()}
        yield Mode(shown, _title(inputs, shown), list(_lanes(pictures[pictures["mode"] == row["mode"]])))


def _title(inputs: Inputs, row: dict[str, Any]) -> str:
    group = {"label": "labelled", "prediction": "taken for"}[row["grouping"]]
    conditions = [
        f"{'little' if side == '<' else 'much'} of feature {feature}" for feature, side, _ in json.loads(row["rule"])
    ]
    return f"{group} {inputs.class_name(row['class'])}, {' and '.join(conditions)}"


def _lanes(pictures: pd.DataFrame) -> Iterator[Lane]:
    features = pictures.loc[pictures["feature"] >= 0, "feature"].unique().tolist()
    for feature in features:
        mine = pictures[pictures["feature"] == feature]
        for kind, title in LANES.items():
            if (mine["kind"] == kind).any():
                words = f"feature {feature}: {title}" if kind == "activating" or len(features) > 1 else title
                yield _lane(words, mine[mine["kind"] == kind])
    if (pictures["kind"] == "failure").any():
        yield _lane(FAILURES, pictures[pictures["kind"] == "failure"])


def _lane(title: str, pictures: pd.DataFrame) -> Lane:
    pictures = pictures.sort_values("rank")
    images = [Image.open(io.BytesIO(content)).convert("RGB") for content in pictures["png"]]
    captions = ["" if value != value else f"{value:.2f}" for value in pictures["value"]]
    return Lane(title, images, captions)
