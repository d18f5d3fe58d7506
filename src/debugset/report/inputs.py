"""What the report reads: each file once, when the first section asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from debugset.base.files import read_json
from debugset.base.paths import ADDED, DEDUP, DEVAL, ERRORS, EVALUATION, PICKS, POOL, SETS, TEST
from debugset.dcd.accuracy import choose_embedder
from debugset.dcd.failures import class_indices
from debugset.dcd.variants import EMBEDDERS
from debugset.dcd.variants import VARIANTS as TRAINED
from debugset.images.sets import ImageSet, open_set
from debugset.report.params import ReportParams

VARIANTS = ("original", *TRAINED)
SCORED = (EVALUATION, ERRORS / "failures.parquet", SETS / TEST / "manifest.parquet")  # what accuracies are told from


@dataclass
class Inputs:
    """The pipeline's results under one folder.

    Attributes:
        root: the repository's folder.
        params: what to show.
        debug_class_names: the classes being mended; one without any failure counts in their accuracies too.
        shown_pool_rows: the manifest rows of the pool's photos whose pictures the page shows so far.
    """

    root: Path
    params: ReportParams
    debug_class_names: Sequence[str]
    shown_pool_rows: set[int] = field(default_factory=set)
    _sets: dict[Path, ImageSet] = field(default_factory=dict, repr=False)

    def missing(self, paths: tuple[Path, ...]) -> list[str]:
        """Those of the paths, relative to the root, that do not exist."""
        return [str(path) for path in paths if not (self.root / path).exists()]

    def json(self, path: Path) -> Any:
        """A JSON file, or None where it does not exist."""
        return read_json(self.root / path) if (self.root / path).is_file() else None

    def frame(self, path: Path) -> pd.DataFrame:
        """A Parquet file as a frame."""
        return pd.read_parquet(self.root / path)

    def images(self, path: Path) -> ImageSet:
        """An image set, opened once."""
        if path not in self._sets:
            self._sets[path] = open_set(self.root / path)
        return self._sets[path]

    @cached_property
    def pool(self) -> ImageSet:
        """The pool before the leak filter."""
        return self.images(POOL)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The class names that labels index."""
        return self.images(SETS / TEST).classes

    @cached_property
    def failures(self) -> pd.DataFrame:
        """The original model's failures: role, set, class, image_id, predicted."""
        return self.frame(ERRORS / "failures.parquet")

    @cached_property
    def debug_classes(self) -> list[int]:
        """The classes being mended, ascending."""
        return class_indices(self.debug_class_names, self.classes).tolist()

    @cached_property
    def picks(self) -> dict[str, pd.DataFrame]:
        """The debug-train set of every embedder that has one."""
        paths = {name: PICKS / f"{name}.parquet" for name in EMBEDDERS}
        return {name: self.frame(path) for name, path in paths.items() if not self.missing((path,))}

    @cached_property
    def deval(self) -> pd.DataFrame:
        """The picks of de-val, the same for all variants."""
        return self.frame(PICKS / f"{DEVAL}.parquet")

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Of every variant, the original included: model, random_state, set, image_id, label, predicted."""
        return self.frame(EVALUATION / "predictions.parquet")

    @cached_property
    def variants(self) -> list[str]:
        """The variants that were evaluated, the known ones in their fixed order, then any others."""
        found = set(self.predictions["model"])
        return [name for name in VARIANTS if name in found] + sorted(found - set(VARIANTS))

    @cached_property
    def added(self) -> dict[str, dict[str, Any]]:
        """What each variant added to the training set: images, by_class, weak_label_precision."""
        found = {name: self.json(ADDED / f"{name}.json") for name in self.variants}
        return {name: content for name, content in found.items() if content is not None}

    @cached_property
    def keep(self) -> pd.DataFrame:
        """The fate of every pool image in the duplicate and leak filters."""
        return self.frame(DEDUP / "keep.parquet")

    def class_name(self, index: int) -> str:
        """The name of a class; -1 is an image that shows none of them."""
        return self.classes[index] if index >= 0 else "none"

    def truth(self, images: ImageSet, row: int) -> int | None:
        """The true label of an image, or None outside generated worlds."""
        if "true_label" not in images.manifest:
            return None
        return int(images.manifest["true_label"].iloc[row])

    def generator(self) -> np.random.Generator:
        """A fresh generator for one draw of examples."""
        return np.random.default_rng(self.params.random_state)

    @cached_property
    def by_run(self) -> pd.DataFrame:
        """variant, column, random_state, accuracy; shares of one."""
        return self.frame(EVALUATION / "by_run.parquet")

    @cached_property
    def accuracy(self) -> pd.DataFrame:
        """variant, column, accuracy, low, high, images, runs; accuracies in percent, variants in order."""
        return self._ordered(self.frame(EVALUATION / "accuracy.parquet"), ["accuracy", "low", "high"])

    @cached_property
    def differences(self) -> pd.DataFrame:
        """variant, baseline, column, difference, low, high; in percentage points, variants in order."""
        return self._ordered(self.frame(EVALUATION / "differences.parquet"), ["difference", "low", "high"])

    @cached_property
    def baselines(self) -> list[str]:
        """The variants that others are compared with, in order."""
        found = set(self.differences["baseline"])
        return [name for name in self.variants if name in found]

    @cached_property
    def chosen(self) -> str:
        """The dcd variant with the highest de-val accuracy."""
        return choose_embedder(self.frame(EVALUATION / "accuracy.parquet"))

    @cached_property
    def by_class(self) -> pd.DataFrame:
        """variant, class, accuracy, images, added: held-out accuracy of the debug classes, in percent."""
        table = self.frame(EVALUATION / "by_class.parquet")
        return self._ordered(table[table["column"] == "heldout"], ["accuracy"])

    @cached_property
    def lines(self) -> pd.DataFrame:
        """variant, slope, intercept: the line of each variant in `by_class`, in percent."""
        table = self.frame(EVALUATION / "lines.parquet")
        return self._ordered(table[table["column"] == "heldout"], ["slope", "intercept"])

    def score(self, variant: str, column: str) -> dict[str, Any] | None:
        """One row of `accuracy`, or None where it was not measured."""
        table = self.accuracy
        return _only(table[(table["variant"] == variant) & (table["column"] == column)])

    def change(self, variant: str, baseline: str, column: str) -> dict[str, Any] | None:
        """One row of `differences`, or None where it was not measured."""
        table = self.differences
        which = (table["variant"] == variant) & (table["baseline"] == baseline) & (table["column"] == column)
        return _only(table[which])

    def predicted(self, variant: str, set_name: str) -> dict[str, int]:
        """What the first run of a variant says of each image of a set."""
        rows = self.predictions
        rows = rows[(rows["model"] == variant) & (rows["set"] == set_name)]
        rows = rows[rows["random_state"] == rows["random_state"].min()]
        return dict(zip(rows["image_id"], rows["predicted"], strict=True))

    def _ordered(self, table: pd.DataFrame, shares: list[str]) -> pd.DataFrame:
        """The table with shares as percent, its variants in order."""
        place = {name: number for number, name in enumerate(self.variants)}
        table = table.assign(**{name: table[name] * 100 for name in shares})
        return table.sort_values("variant", key=lambda names: names.map(place), kind="stable", ignore_index=True)


def _only(rows: pd.DataFrame) -> dict[str, Any] | None:
    if rows.empty or rows.isna().any(axis=None):
        return None
    return {str(name): value for name, value in rows.iloc[0].items()}
