"""Failure modes with their pictures, as the page and the cards show them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from debugset.base.paths import BARLOW
from debugset.report.inputs import CLASS_NAMES, Inputs, records
from debugset.report.pictures import Lane, decode_lane

MODES, GROUPS, PICTURES = BARLOW / "modes.parquet", BARLOW / "groups.parquet", BARLOW / "pictures.parquet"
MODE_FILES = (MODES, GROUPS, PICTURES, CLASS_NAMES)
_LANES = {
    "activating": "strongest in the group",
    "heatmap": "where: its map",
    "gradient": "where: its gradient",
    "attack": "pictures changed to raise it",
}
FAILURES_LANE = "failures the rule holds for"
_GROUPING_WORDS = {"label": "labelled", "prediction": "taken for"}


@dataclass(frozen=True)
class Mode:
    """A failure mode, ready to be shown."""

    row: dict[str, Any]  # of the modes' table
    title: str  # the group and the rule in words
    lanes: list[Lane]  # its pictures; empty where none were made

    @property
    def holds(self) -> bool:
        """Whether it holds on the held-out half."""
        return bool(self.row["holds"]) and self.row["heldout_count"] > 0

    @property
    def verdict(self) -> str:
        """Its numbers on the held-out half as a sentence."""
        row = self.row
        if not row["heldout_count"]:
            return "held-out half: no image to try it on"
        numbers = f"error {row['heldout_error_rate']:.0%} instead of {row['heldout_base_error_rate']:.0%}"
        p = "p < 0.001" if row["p_corrected"] < 0.001 else f"p = {row['p_corrected']:.3f}"
        return f"held-out half: {numbers}, corrected {p}: {'it holds' if self.holds else 'it does not hold'}"


def read_modes(inputs: Inputs, limit: int | None = None) -> Iterator[Mode]:
    """The ``limit`` most important failure modes; all of them if it is None."""
    pictures = inputs.frame(PICTURES)
    for row in records(inputs.frame(MODES)[:limit]):
        yield Mode(row, _title(inputs, row), list(_lanes(pictures[pictures["mode"] == row["mode"]])))


def _title(inputs: Inputs, row: dict[str, Any]) -> str:
    rule = json.loads(row["rule"])
    conditions = [f"{'little' if sign == '<' else 'much'} of feature {feature}" for feature, sign, _ in rule]
    return f"{_GROUPING_WORDS[row['grouping']]} {inputs.class_name(row['class'])}, {' and '.join(conditions)}"


def _lanes(pictures: pd.DataFrame) -> Iterator[Lane]:
    """A lane for each kind of pictures of each feature, then one of failures."""
    features = pictures.loc[pictures["feature"] >= 0, "feature"].unique().tolist()
    for feature in features:
        mine = pictures[pictures["feature"] == feature]
        for kind, title in _LANES.items():
            named = kind == "activating" or len(features) > 1
            yield from _lane(f"feature {feature}: {title}" if named else title, mine[mine["kind"] == kind])
    yield from _lane(FAILURES_LANE, pictures[pictures["kind"] == "failure"])


def _lane(title: str, pictures: pd.DataFrame) -> Iterator[Lane]:
    """The pictures in order, their values as captions where they have one; no lane without pictures."""
    if pictures.empty:
        return
    pictures = pictures.sort_values("rank")
    captions = pictures["value"].map("{:.2f}".format).replace("nan", "")
    yield decode_lane(title, pictures["png"], captions.tolist())
