"""Errors of the chosen sparse layer with what corrects them, as the page and the cards show them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from PIL import Image

from debugset.base.paths import DIAGNOSIS, SETS, SPARSE
from debugset.report.inputs import CLASS_NAMES, Inputs, records
from debugset.report.pictures import Lane
from debugset.report.sparse_tables import SparseTables

EXPLANATION_FILES = (SPARSE, CLASS_NAMES, SETS / DIAGNOSIS)
CAVEAT = "This explains the error; it does not mend the model."
_REMOVED_WITH_PICTURES = 3


@dataclass(frozen=True)
class Explanation:
    """An error and the features of the predicted class whose removal corrects it, ready to be shown."""

    image_id: str
    image: Image.Image
    label: str  # the true class
    predicted: str
    removed: list[int]  # features; empty where no ten of them correct the error
    for_predicted: list[dict[str, Any]]  # the largest contributions to that class: feature, amount
    for_true: list[dict[str, Any]]  # the same for the true class
    lanes: list[Lane]  # what the features are strongest in; without those that were not pictured

    @property
    def verdict(self) -> str:
        """What removal does, as a sentence."""
        if not self.removed:
            return f"No ten features of {self.predicted} correct it."
        features = "feature" if len(self.removed) == 1 else "features"
        return f"Without {features} {', '.join(map(str, self.removed))} it is {self.label}."


def read_explanations(inputs: Inputs) -> Iterator[Explanation]:
    """The errors that stage ``sparse`` drew, in its order."""
    tables, images = SparseTables(inputs), inputs.images(SETS / DIAGNOSIS)
    for _, rows in tables.table("cards").groupby("card", sort=False):
        first = records(rows)[0]
        (row,) = images.rows_of([first["image_id"]])
        label, predicted = inputs.class_name(first["label"]), inputs.class_name(first["predicted"])
        yield Explanation(
            first["image_id"],
            images.image(int(row)).convert("RGB"),
            label,
            predicted,
            rows.loc[rows["role"] == "removed", "feature"].tolist(),
            records(rows[rows["role"] == "predicted"]),
            records(rows[rows["role"] == "true"]),
            list(_lanes(tables, rows, label, predicted)),
        )


def _lanes(tables: SparseTables, rows: pd.DataFrame, label: str, predicted: str) -> Iterator[Lane]:
    """What is removed, or else adds most to the predicted class; then what adds most to the true one."""
    removed, for_predicted, for_true = (
        records(rows[rows["role"] == role]) for role in ("removed", "predicted", "true")
    )
    shown = [(row, predicted) for row in removed[:_REMOVED_WITH_PICTURES] or for_predicted[:1]]
    features = [row["feature"] for row, _ in shown]
    shown += [(row, label) for row in for_true[:1] if row["feature"] not in features]
    for row, class_name in shown:
        title = f"feature {row['feature']}, {'for' if row['amount'] > 0 else 'against'} {class_name}"
        lanes = [tables.lane(row["feature"], "activating", f"{title}: strongest of all")]
        if len(removed) == 1 and row is removed[0]:
            lanes.append(tables.lane(row["feature"], "gradient", "where: its gradient"))
        yield from (lane for lane in lanes if lane.images)
