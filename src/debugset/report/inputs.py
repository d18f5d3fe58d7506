"""What the report reads: each file once, when the first section asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from debugset.base.files import read_json, read_parquet
from debugset.base.paths import ADDED, DEDUP, DEVAL, ERRORS, EVALUATION, PICKS, POOL, SETS, TEST
from debugset.dcd.accuracy import choose_embedder
from debugset.dcd.failures import class_indices
from debugset.dcd.variants import DCD, EMBEDDERS
from debugset.images.sets import MANIFEST, ImageSet, open_set
from debugset.report.headings import VARIANT_ORDER
from debugset.report.params import ReportParams

FAILURES = ERRORS / "failures.parquet"
KEEP = DEDUP / "keep.parquet"
POOL_MANIFEST = POOL / MANIFEST
CLASS_NAMES = SETS / TEST / MANIFEST  # the names that labels index are in it
ACCURACY_FILES = (EVALUATION, FAILURES, CLASS_NAMES)  # without them no accuracy can be told


@dataclass
class Inputs:
    """The pipeline's results under one folder."""

    root: Path
    params: ReportParams
    debug_class_names: Sequence[str]  # being mended; a class without any failure counts in their accuracies too
    shown_pool_rows: set[int] = field(default_factory=set)  # of the pool's manifest, whose photos the page shows so far
    _frames: dict[Path, pd.DataFrame] = field(default_factory=dict, repr=False)
    _sets: dict[Path, ImageSet] = field(default_factory=dict, repr=False)

    def missing_files(self, paths: Sequence[Path]) -> list[str]:
        """Those of the paths, relative to the root, that do not exist."""
        return [str(path) for path in paths if not (self.root / path).exists()]

    def json(self, path: Path) -> Any:
        """A JSON file, or None where it does not exist."""
        return read_json(self.root / path) if (self.root / path).is_file() else None

    def frame(self, path: Path) -> pd.DataFrame:
        """A Parquet file as a frame, read once; nobody changes it."""
        if path not in self._frames:
            self._frames[path] = read_parquet(self.root / path)
        return self._frames[path]

    def images(self, path: Path) -> ImageSet:
        """An image set, opened once."""
        if path not in self._sets:
            self._sets[path] = open_set(self.root / path)
        return self._sets[path]

    def generator(self) -> np.random.Generator:
        """A fresh generator for one draw of examples."""
        return np.random.default_rng(self.params.random_state)

    @property
    def pool(self) -> ImageSet:
        """The pool before the leak filter."""
        return self.images(POOL)

    @property
    def keep(self) -> pd.DataFrame:
        """The fate of every pool image in the duplicate and leak filters."""
        return self.frame(KEEP)

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names that labels index."""
        return self.images(SETS / TEST).classes

    def class_name(self, index: int) -> str:
        """The name of a class; -1 is an image that shows none of them."""
        return self.classes[index] if index >= 0 else "none"

    @cached_property
    def debug_classes(self) -> list[int]:
        """The classes being mended, ascending."""
        return class_indices(self.debug_class_names, self.classes).tolist()

    @property
    def failures(self) -> pd.DataFrame:
        """The original model's failures: role, set, class, image_id, predicted."""
        return self.frame(FAILURES)

    @property
    def deval(self) -> pd.DataFrame:
        """The picks of de-val, the same for all variants."""
        return self.frame(PICKS / f"{DEVAL}.parquet")

    @cached_property
    def picks(self) -> dict[str, pd.DataFrame]:
        """The debug-train set of every embedder that has one."""
        picks = {}
        for embedder in EMBEDDERS:
            path = PICKS / f"{embedder}.parquet"
            if not self.missing_files([path]):
                picks[embedder] = self.frame(path)
        return picks

    @cached_property
    def added(self) -> dict[str, dict[str, Any]]:
        """What each variant added to the training set: images, by_class, weak_label_precision."""
        added = {}
        for variant in self.variants:
            content = self.json(ADDED / f"{variant}.json")
            if content is not None:
                added[variant] = content
        return added

    @property
    def predictions(self) -> pd.DataFrame:
        """Of every variant, the original included: model, random_state, set, image_id, label, predicted."""
        return self.frame(EVALUATION / "predictions.parquet")

    def predicted_labels(self, variant: str, set_name: str) -> dict[str, int]:
        """What the first run of a variant says of each image of a set, by image id."""
        rows = self.predictions
        rows = rows[(rows["model"] == variant) & (rows["set"] == set_name)]
        rows = rows[rows["random_state"] == rows["random_state"].min()]
        return dict(zip(rows["image_id"], rows["predicted"], strict=True))

    @cached_property
    def variants(self) -> list[str]:
        """The variants that were evaluated, the known ones in their fixed order, then any others."""
        evaluated = set(self.predictions["model"])
        return [name for name in VARIANT_ORDER if name in evaluated] + sorted(evaluated.difference(VARIANT_ORDER))

    @cached_property
    def baselines(self) -> list[str]:
        """The variants that others are compared with, in order."""
        compared = set(self.differences["baseline"])
        return [name for name in self.variants if name in compared]

    @cached_property
    def chosen(self) -> str:
        """The dcd variant with the highest de-val accuracy."""
        return choose_embedder(self.frame(EVALUATION / "accuracy.parquet"))

    @property
    def chosen_embedder(self) -> str:
        """The embedder that picked for `chosen`."""
        return self.chosen.removeprefix(DCD)

    @cached_property
    def accuracy(self) -> pd.DataFrame:
        """variant, column, accuracy, low, high, images, runs; accuracies in percent, variants in order."""
        return self._in_percent(self.frame(EVALUATION / "accuracy.parquet"), ["accuracy", "low", "high"])

    @cached_property
    def differences(self) -> pd.DataFrame:
        """variant, baseline, column, difference, low, high; in percentage points, variants in order."""
        return self._in_percent(self.frame(EVALUATION / "differences.parquet"), ["difference", "low", "high"])

    @cached_property
    def by_class(self) -> pd.DataFrame:
        """variant, class, accuracy, images, added: held-out accuracy of the debug classes, in percent."""
        table = self.frame(EVALUATION / "by_class.parquet")
        return self._in_percent(table[table["column"] == "heldout"], ["accuracy"])

    @cached_property
    def lines(self) -> pd.DataFrame:
        """variant, slope, intercept: the line of each variant in `by_class`, in percent."""
        table = self.frame(EVALUATION / "lines.parquet")
        return self._in_percent(table[table["column"] == "heldout"], ["slope", "intercept"])

    def score(self, variant: str, column: str) -> dict[str, Any] | None:
        """One row of `accuracy`, or None where it was not measured."""
        return _only_row(self.accuracy, variant=variant, column=column)

    def change(self, variant: str, baseline: str, column: str) -> dict[str, Any] | None:
        """One row of `differences`, or None where it was not measured."""
        return _only_row(self.differences, variant=variant, baseline=baseline, column=column)

    def _in_percent(self, table: pd.DataFrame, shares: list[str]) -> pd.DataFrame:
        """The table with shares as percent, its variants in order."""
        table = table.assign(place=table["variant"].map(self.variants.index))
        table = table.sort_values("place", kind="stable", ignore_index=True).drop(columns="place")
        table[shares] *= 100
        return table


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table, each by column."""
    rows: list[Any] = table.to_dict("records")
    return rows


def _only_row(table: pd.DataFrame, **key: str) -> dict[str, Any] | None:
    """The one row of a table with these values; None if there is none or a number in it is not defined."""
    for column, value in key.items():
        table = table[table[column] == value]
    return None if table.empty or table.isna().any(axis=None) else records(table)[0]
