"""The accuracy table: every variant on the paper's columns, with intervals and paired differences.

Intervals are 95 % percentile bootstraps over images and, where a variant was trained with several random states, over
images and random states at once. Variants are compared on the same resampled images; variants with the same list of
random states also on the same resampled random states.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32, Float64, Int64
from pydantic import Field

from debugset.base.params import Section
from debugset.base.paths import DEVAL, HELDOUT_SOURCE, SEED_SOURCE, TEST

# Column: the set it is measured on, and which of its images: a role of failures, the debug classes, or all.
COLUMNS = {
    "seed": (SEED_SOURCE, "seed"),
    "heldout": (HELDOUT_SOURCE, "heldout"),
    "deval": (DEVAL, "all"),
    "seed_source": (SEED_SOURCE, "debug"),
    "heldout_source": (HELDOUT_SOURCE, "debug"),
    "test": (TEST, "debug"),
    "seed_source_all": (SEED_SOURCE, "all"),
    "heldout_source_all": (HELDOUT_SOURCE, "all"),
    "test_all": (TEST, "all"),
}
_BASELINES = ("original", "retrain", "random", "complete")
INTERVAL = (0.025, 0.975)
_DRAWS_AT_A_TIME = 2**23  # bounds memory


class BootstrapParams(Section):
    """Sections ``evaluate`` and ``remeasure``: how many resamples are behind each interval, and their random state."""

    resamples: int = Field(ge=100)
    random_state: int = Field(ge=0)


class Runs(NamedTuple):
    """What every training run of a variant gets right."""

    random_states: tuple[int, ...]  # ascending
    right: Float32[np.ndarray, "runs images"]  # 1 where a run is right, else 0; images by ascending id

    @property
    def accuracy(self) -> float:
        """The share of right predictions."""
        return float(self.right.mean(dtype=np.float64))


def evaluation_tables(
    predictions: pd.DataFrame,
    failures: pd.DataFrame,
    debug_classes: Sequence[int],
    added: Mapping[str, Mapping[int, int]],
    params: BootstrapParams,
) -> dict[str, pd.DataFrame]:
    """All that is told of the variants' accuracies; arguments as for `accuracy_table` and `accuracy_by_class`.

    Returns:
        accuracy and differences (of `accuracy_table`), by_run, by_class, lines (of `regression_lines`).
    """
    draws = (params.resamples, params.random_state)
    accuracy, differences = accuracy_table(predictions, failures, debug_classes, *draws)
    by_run = accuracy_by_run(predictions, failures, debug_classes)
    by_class = accuracy_by_class(predictions, failures, added)
    tables = {"accuracy": accuracy, "differences": differences, "by_run": by_run, "by_class": by_class}
    return tables | {"lines": regression_lines(by_class)}


def accuracy_table(
    predictions: pd.DataFrame,
    failures: pd.DataFrame,
    debug_classes: Sequence[int],
    resamples: int = 1000,
    random_state: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure every variant on every column (tables 1 and 4, with de-val, intervals and differences).

    Args:
        predictions: model, random_state, set, image_id, label, predicted; of all variants, the original included.
        failures: role, class, image_id.
        debug_classes: indices of the classes being mended.

    Returns:
        The table (variant, column, accuracy, low, high, images, runs) and the differences (variant, baseline, column,
        difference, low, high), as fractions. A variant has no row in a column where it was evaluated on none of the
        images.

    Raises:
        ValueError: ``resamples`` is below 1, or a run lacks some of a set's images or has one twice.
    """
    if resamples < 1:
        raise ValueError(f"resamples: must be at least 1, got {resamples}")
    rows: list[tuple] = []
    differences: list[tuple] = []
    for number, column in enumerate(COLUMNS):
        correct = correctness(column_of(predictions, failures, debug_classes, column))
        sampled = bootstrap(correct, resamples, np.random.default_rng([random_state, number]))
        for variant, runs in correct.items():
            low, high = np.quantile(sampled[variant], INTERVAL)
            count, images = runs.right.shape
            rows.append((variant, column, runs.accuracy, low, high, images, count))
            for baseline in _BASELINES:
                if baseline in correct and baseline != variant:
                    low, high = np.quantile(sampled[variant] - sampled[baseline], INTERVAL)
                    difference = runs.accuracy - correct[baseline].accuracy
                    differences.append((variant, baseline, column, difference, low, high))
    return (
        pd.DataFrame(rows, columns=["variant", "column", "accuracy", "low", "high", "images", "runs"]),
        pd.DataFrame(differences, columns=["variant", "baseline", "column", "difference", "low", "high"]),
    )


def accuracy_by_run(predictions: pd.DataFrame, failures: pd.DataFrame, debug_classes: Sequence[int]) -> pd.DataFrame:
    """The accuracy of every single training run, for the arguments of `accuracy_table`.

    Returns:
        variant, column, random_state, accuracy (a fraction).
    """
    rows: list[tuple] = []
    for column in COLUMNS:
        for variant, runs in correctness(column_of(predictions, failures, debug_classes, column)).items():
            means = runs.right.mean(axis=1, dtype=np.float64).tolist()
            for random_state, mean in zip(runs.random_states, means, strict=True):
                rows.append((variant, column, random_state, mean))
    return pd.DataFrame(rows, columns=["variant", "column", "random_state", "accuracy"])


def column_of(
    predictions: pd.DataFrame, failures: pd.DataFrame, debug_classes: Sequence[int], column: str
) -> pd.DataFrame:
    """The predictions that a column of the table is about."""
    name, which = COLUMNS[column]
    rows = predictions[predictions["set"] == name]
    if which == "debug":
        return rows[rows["label"].isin(list(debug_classes))]
    if which != "all":
        return rows[rows["image_id"].isin(failures.loc[failures["role"] == which, "image_id"])]
    return rows


def correctness(predictions: pd.DataFrame) -> dict[str, Runs]:
    """What each variant's runs get right of one set, by model, random_state, image_id, label and predicted.

    Raises:
        ValueError: a run lacks some of the images, or has one twice.
    """
    ids = np.sort(predictions["image_id"].unique().astype(object))
    place = pd.Index(ids).get_indexer(predictions["image_id"])
    right = (predictions["label"] == predictions["predicted"]).to_numpy(np.float32)
    models, states = predictions["model"].to_numpy(object), predictions["random_state"].to_numpy(np.int64)
    found = {}
    for model in pd.unique(predictions["model"]):
        mine = np.flatnonzero(models == model)
        random_states, row = np.unique(states[mine], return_inverse=True)
        matrix = np.full((len(random_states), len(ids)), np.nan, np.float32)
        matrix[row, place[mine]] = right[mine]
        if matrix.size != len(mine) or np.isnan(matrix).any():
            raise ValueError(
                f"predictions: {model!r} has {len(mine)} rows for {len(random_states)} training runs and {len(ids)} "
                "images of one set; every run needs each image once, so evaluate it again"
            )
        found[str(model)] = Runs(tuple(random_states.tolist()), matrix)
    return found


def bootstrap(
    correct: Mapping[str, Runs], resamples: int, generator: np.random.Generator
) -> dict[str, Float64[np.ndarray, " resamples"]]:
    """Each variant's accuracy in every resample.

    The images are drawn first, then the runs, for every distinct list of random states in ascending order.
    """
    if not correct:
        return {}
    stacked = np.concatenate([runs.right for runs in correct.values()])
    images, sums = stacked.shape[1], []
    step = max(1, _DRAWS_AT_A_TIME // images)
    for start in range(0, resamples, step):
        draws = generator.integers(images, size=(min(step, resamples - start), images))
        sums.append(_counts(draws, images).astype(np.float32) @ stacked.T)
    means = np.concatenate(sums).astype(np.float64) / images
    weights = {}
    for random_states in sorted({runs.random_states for runs in correct.values()}):
        count = len(random_states)
        weights[random_states] = _counts(generator.integers(count, size=(resamples, count)), count) / count
    found, row = {}, 0
    for variant, runs in correct.items():
        count = len(runs.random_states)
        found[variant] = (means[:, row : row + count] * weights[runs.random_states]).sum(axis=1)
        row += count
    return found


def choose_embedder(table: pd.DataFrame) -> str:
    """The dcd variant with the highest de-val accuracy; the first in the table of equal ones.

    Raises:
        ValueError: the table has no dcd variant with a de-val accuracy.
    """
    rows = table[(table["column"] == "deval") & table["variant"].str.startswith("dcd-") & table["accuracy"].notna()]
    if rows.empty:
        raise ValueError("table: no dcd variant has a de-val accuracy; evaluate the dcd variants on de-val")
    return str(rows["variant"].iloc[int(rows["accuracy"].to_numpy().argmax())])


def accuracy_by_class(
    predictions: pd.DataFrame, failures: pd.DataFrame, added: Mapping[str, Mapping[int, int]]
) -> pd.DataFrame:
    """Every variant's accuracy on the seed and held-out images of each class, over its random states (figure 10).

    Args:
        predictions: as for `accuracy_table`.
        failures: the same.
        added: by variant, the number of images that it adds to each class; none where it is missing.

    Returns:
        variant, column ("seed" or "heldout"), class, accuracy, images, added. Classes without such images
        have no row.
    """
    parts = []
    for column in ("seed", "heldout"):
        rows = column_of(predictions, failures, (), column)
        rows = rows.assign(right=(rows["label"] == rows["predicted"]).astype(float), column=column)
        rows = rows.rename(columns={"model": "variant", "label": "class"})
        grouped = rows.groupby(["variant", "column", "class"], sort=False)
        parts.append(grouped.agg(accuracy=("right", "mean"), images=("image_id", "nunique")).reset_index())
    table = pd.concat(parts, ignore_index=True)
    pairs = zip(table["variant"], table["class"], strict=True)
    table["added"] = [added.get(variant, {}).get(label, 0) for variant, label in pairs]
    return table.sort_values(["column", "variant", "class"], kind="stable", ignore_index=True)


def regression_lines(by_class: pd.DataFrame) -> pd.DataFrame:
    """The least-squares line of accuracy on added images, over the classes, of every variant (figure 10 c).

    Returns:
        variant, column, slope (accuracy an image), intercept, r, classes; NaN where all classes add the same.
    """
    rows: list[tuple] = []
    for key, group in by_class.groupby(["variant", "column"], sort=False):
        x, y = group["added"].to_numpy(np.float64), group["accuracy"].to_numpy(np.float64)
        slope = intercept = r = np.nan
        if len(x) and x.min() < x.max():
            slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
            intercept = y.mean() - slope * x.mean()
            r = slope * x.std() / y.std() if y.std() > 0 else np.nan
        rows.append((*key, slope, intercept, r, len(x)))
    return pd.DataFrame(rows, columns=["variant", "column", "slope", "intercept", "r", "classes"])


def _counts(draws: Int64[np.ndarray, "b m"], values: int) -> Float[np.ndarray, "b v"]:
    """How often each of ``values`` values comes in every row of draws."""
    offset = np.arange(len(draws))[:, None] * values
    return np.bincount((draws + offset).ravel(), minlength=len(draws) * values).reshape(-1, values).astype(np.float64)
