"""The accuracy table: every variant on the paper's columns, with intervals and paired differences.

Intervals are 95 % percentile bootstraps over images and, where a variant was trained with several seeds, over
images and seeds at once. Variants are compared on the same resampled images; variants with the same list of
seeds also on the same resampled seeds.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32, Int64

# Column: the set it is measured on, and which of its images: a role of failures, the debug classes, or all.
COLUMNS = {
    "seed": ("mfreq", "seed"),
    "heldout": ("complement", "heldout"),
    "deval": ("deval", "all"),
    "mfreq": ("mfreq", "debug"),
    "complement": ("complement", "debug"),
    "test": ("test", "debug"),
    "mfreq_all": ("mfreq", "all"),
    "complement_all": ("complement", "all"),
    "test_all": ("test", "all"),
}
BASELINES = ("original", "retrain", "random", "complete")
INTERVAL = (0.025, 0.975)
DRAWS_AT_A_TIME = 2**23

Correct = dict[str, tuple[tuple[int, ...], np.ndarray]]  # by variant: its seeds, and right or wrong [seeds, images]


def accuracy_table(
    predictions: pd.DataFrame,
    failures: pd.DataFrame,
    debug_classes: Sequence[int],
    resamples: int = 1000,
    random_state: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure every variant on every column (tables 1 and 4, with de-val, intervals and differences).

    Args:
        predictions: variant, seed, set, image_id, label, predicted; of all variants, the original included.
        failures: role, class, image_id.
        debug_classes: indices of the classes being mended.
        resamples: bootstrap samples.
        random_state: of the bootstrap.

    Returns:
        The table (variant, column, accuracy, low, high, images, seeds) and the differences (variant,
        baseline, column, difference, low, high), as fractions. A variant has no row in a column where it was
        evaluated on none of the images.

    Raises:
        ValueError: ``resamples`` is below 1, or a variant or seed lacks some of a set's images or has one twice.
    """
    if resamples < 1:
        raise ValueError(f"resamples: must be at least 1, got {resamples}")
    rows: list[tuple] = []
    differences: list[tuple] = []
    for number, column in enumerate(COLUMNS):
        correct = correctness(column_of(predictions, failures, debug_classes, column))
        sampled = bootstrap(correct, resamples, np.random.default_rng([random_state, number]))
        scores = {variant: float(right.mean(dtype=np.float64)) for variant, (_, right) in correct.items()}
        for variant, (seeds, right) in correct.items():
            interval = np.quantile(sampled[variant], INTERVAL)
            rows.append((variant, column, scores[variant], *interval, right.shape[1], len(seeds)))
            for baseline in BASELINES:
                if baseline in correct and baseline != variant:
                    interval = np.quantile(sampled[variant] - sampled[baseline], INTERVAL)
                    differences.append((variant, baseline, column, scores[variant] - scores[baseline], *interval))
    return (
        pd.DataFrame(rows, columns=["variant", "column", "accuracy", "low", "high", "images", "seeds"]),
        pd.DataFrame(differences, columns=["variant", "baseline", "column", "difference", "low", "high"]),
    )


def accuracy_by_seed(predictions: pd.DataFrame, failures: pd.DataFrame, debug_classes: Sequence[int]) -> pd.DataFrame:
    """The accuracy of every single training run, for the arguments of `accuracy_table`.

    Returns:
        variant, column, seed, accuracy (a fraction).
    """
    rows: list[tuple] = []
    for column in COLUMNS:
        for variant, (seeds, right) in correctness(column_of(predictions, failures, debug_classes, column)).items():
            means = right.mean(axis=1, dtype=np.float64)
            rows += [(variant, column, seed, float(mean)) for seed, mean in zip(seeds, means, strict=True)]
    return pd.DataFrame(rows, columns=["variant", "column", "seed", "accuracy"])


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


def correctness(predictions: pd.DataFrame) -> Correct:
    """Each variant's seeds and a matrix of right (1) and wrong (0); rows are seeds, columns images by id.

    Raises:
        ValueError: a variant or seed lacks some of the images, or has one twice.
    """
    ids = np.sort(predictions["image_id"].unique().astype(object))
    place = pd.Index(ids).get_indexer(predictions["image_id"])
    right = (predictions["label"] == predictions["predicted"]).to_numpy(np.float32)
    variants = predictions["variant"].to_numpy(object)
    found: Correct = {}
    for variant in pd.unique(predictions["variant"]):
        mine = np.flatnonzero(variants == variant)
        seeds, row = np.unique(predictions["seed"].to_numpy(np.int64)[mine], return_inverse=True)
        matrix = np.full((len(seeds), len(ids)), np.nan, np.float32)
        matrix[row, place[mine]] = right[mine]
        if matrix.size != len(mine) or np.isnan(matrix).any():
            raise ValueError(
                f"predictions: variant {variant!r} has {len(mine)} rows for {len(seeds)} seeds and "
                f"{len(ids)} images of one set; every seed needs each image once, so evaluate it again"
            )
        found[variant] = (tuple(int(seed) for seed in seeds), matrix)
    return found


def bootstrap(correct: Correct, resamples: int, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Each variant's accuracy in every resample.

    The images are drawn first, then the seeds of every distinct list of seeds in ascending order.

    Returns:
        By variant, an array [resamples].
    """
    if not correct:
        return {}
    stacked = np.concatenate([right for _, right in correct.values()])
    images = stacked.shape[1]
    sums = [counts @ stacked.T for counts in _resampled_images(images, resamples, generator)]
    means = np.concatenate(sums).astype(np.float64) / images
    weights = {}
    for seeds in sorted({seeds for seeds, _ in correct.values()}):
        draws = generator.integers(len(seeds), size=(resamples, len(seeds)))
        weights[seeds] = _counts(draws, len(seeds)) / len(seeds)
    found, row = {}, 0
    for variant, (seeds, _) in correct.items():
        found[variant] = (means[:, row : row + len(seeds)] * weights[seeds]).sum(axis=1)
        row += len(seeds)
    return found


def choose_embedder(table: pd.DataFrame) -> str:
    """The dcd variant with the highest de-val accuracy; the first in the table of equal ones.

    Raises:
        ValueError: the table has no dcd variant with a de-val accuracy.
    """
    which = (table["column"] == "deval") & table["variant"].str.startswith("dcd-") & table["accuracy"].notna()
    rows = table[which]
    if rows.empty:
        raise ValueError("table: no dcd variant has a de-val accuracy; evaluate the dcd variants on de-val")
    return str(rows["variant"].iloc[int(rows["accuracy"].to_numpy().argmax())])


def accuracy_by_class(
    predictions: pd.DataFrame, failures: pd.DataFrame, added: Mapping[str, Mapping[int, int]]
) -> pd.DataFrame:
    """Every variant's accuracy on the seed and held-out images of each class, over its seeds (figure 10).

    Args:
        predictions: as for `accuracy_table`.
        failures: role, class, image_id.
        added: by variant, the number of images that it adds to each class; none where it is missing.

    Returns:
        variant, column ("seed" or "heldout"), class, accuracy, images, added. Classes without such images
        have no row.
    """
    parts = []
    for column in ("seed", "heldout"):
        rows = column_of(predictions, failures, (), column)
        rows = rows.assign(right=(rows["label"] == rows["predicted"]).astype(float), column=column)
        rows = rows.rename(columns={"label": "class"})
        grouped = rows.groupby(["variant", "column", "class"], sort=False)
        parts.append(grouped.agg(accuracy=("right", "mean"), images=("image_id", "nunique")).reset_index())
    table = pd.concat(parts, ignore_index=True)
    table["added"] = [
        added.get(variant, {}).get(label, 0) for variant, label in zip(table["variant"], table["class"], strict=True)
    ]
    return table.sort_values(["column", "variant", "class"], kind="stable", ignore_index=True)


def regression_lines(by_class: pd.DataFrame) -> pd.DataFrame:
    """The least-squares line of accuracy on added images, over the classes, of every variant (figure 10 c).

    Returns:
        variant, column, slope (accuracy an image), intercept, r, classes; NaN where all classes add the same.
    """
    rows = []
    for key in by_class[["variant", "column"]].drop_duplicates().itertuples(index=False):
        group = by_class[(by_class["variant"] == key.variant) & (by_class["column"] == key.column)]
        x, y = group["added"].to_numpy(np.float64), group["accuracy"].to_numpy(np.float64)
        slope = intercept = r = np.nan
        if len(x) and x.min() < x.max():
            slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
            intercept = y.mean() - slope * x.mean()
            r = slope * x.std() / y.std() if y.std() > 0 else np.nan
        rows.append((*key, slope, intercept, r, len(x)))
    return pd.DataFrame(rows, columns=["variant", "column", "slope", "intercept", "r", "classes"])


def _resampled_images(
    images: int, resamples: int, generator: np.random.Generator
) -> Iterator[Float32[np.ndarray, "b images"]]:
    """How often each image is drawn in each resample, in chunks that bound memory."""
    step = max(1, DRAWS_AT_A_TIME // images)
    for start in range(0, resamples, step):
        size = (min(step, resamples - start), images)
        yield _counts(generator.integers(images, size=size), images).astype(np.float32)


def _counts(draws: Int64[np.ndarray, "b m"], values: int) -> Float[np.ndarray, "b v"]:
    """How often each of ``values`` values comes in every row of draws."""
    offset = np.arange(len(draws))[:, None] * values
    return np.bincount((draws + offset).ravel(), minlength=len(draws) * values).reshape(-1, values).astype(np.float64)
