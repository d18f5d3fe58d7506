"""The original model's failures: classes to mend, seed and held-out images (section 3.4, Appendix A)."""

import io
from collections.abc import Iterator, Sequence
from itertools import dropwhile
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int64
from pydantic import Field, model_validator

from debugset.base.arrays import ArrayLike, as_array, as_labels
from debugset.base.files import replacing_file
from debugset.base.names import composed, some
from debugset.base.params import Name, Section
from debugset.base.paths import DIAGNOSIS, HELDOUT_SOURCE, MENDED_MODES, SEED_SOURCE, SETS

ORIGINAL = "original"
ROLES = {SEED_SOURCE: "seed", HELDOUT_SOURCE: "heldout"}
MODE = "mode"  # the role of failures of a mode that is mended on purpose
_MODES_HEADER = """\
# Failures on `diagnosis` that images are collected for besides the seeds: `debugset barlow mend MODE` writes them.
mode,class_name,image_id
"""
_LARGER = "make the set larger or harder (section `prepare`)"
PREDICTION_COLUMNS = ["model", "random_state", "set", "image_id", "label", "predicted"]
MODES_COLUMNS = ["mode", "class_name", "image_id"]


class ErrorsParams(Section):
    """Whose failures are to be mended.

    Attributes:
        classes: names of the debug classes; `debugset debug-classes` chooses them.
        setting: ``single``: images that the original model misses. ``multi``: images that it and all the
            other models miss.
        models: the other models of the multi-model setting, by their timm names.
    """

    classes: list[Name] = Field(min_length=1)
    setting: Literal["single", "multi"]
    models: list[str]

    @model_validator(mode="after")
    def _consistent(self) -> "ErrorsParams":
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("a name in `classes` comes twice")
        if self.setting == "multi" and not self.models:
            raise ValueError("the multi-model setting needs names in `models`")
        return self


class ClassErrors(NamedTuple):
    """How often a class is missed: its images that every model misses, and all its images."""

    name: str
    missed: int
    images: int


def debug_classes(
    predictions: Int64[np.ndarray, "models _n"] | ArrayLike,
    labels: Int64[np.ndarray, " n"] | ArrayLike,
    *,
    min_missed: int = 3,
) -> Int64[np.ndarray, " c"]:
    """The classes with at least ``min_missed`` images that every model misses (Appendix A).

    Args:
        predictions: each model's predicted class of every image of a test set (MatchedFrequency).
        labels: true classes.
        min_missed: the paper's rule seems to be 3, which gave 160 classes of ImageNet with 20 models.

    Raises:
        ValueError: shapes do not fit, a label is no class index, or ``min_missed`` is below 1.
    """
    if min_missed < 1:
        raise ValueError(f"min_missed: must be at least 1, got {min_missed}")
    labels = as_labels(labels, "labels")
    classes, counts = np.unique(labels[_missed(predictions, labels).all(axis=0)], return_counts=True)
    return classes[counts >= min_missed]


def least_accurate(
    predictions: Int64[np.ndarray, "models _n"] | ArrayLike, labels: Int64[np.ndarray, " n"] | ArrayLike, count: int
) -> Int64[np.ndarray, " c"]:
    """The ``count`` classes of lowest accuracy, averaged over the models; ties go to the lower class.

    Raises:
        ValueError: shapes do not fit, a label is no class index, or there are fewer classes than asked for.
    """
    labels = as_labels(labels, "labels")
    missed = _missed(predictions, labels).mean(axis=0)
    classes, place = np.unique(labels, return_inverse=True)
    if not 1 <= count <= len(classes):
        raise ValueError(f"count: must lie between 1 and the {len(classes)} classes that have images, got {count}")
    error = np.bincount(place, missed) / np.bincount(place)
    return np.sort(classes[np.argsort(-error, kind="stable")[:count]])


def choose_debug_classes(
    predictions: pd.DataFrame, names: Sequence[str], *, least: int | None = None, min_missed: int = 3
) -> list[ClassErrors]:
    """The debug classes by predictions on the seed source, in the order of the classes.

    Args:
        predictions: model, set, image_id, label, predicted, as stage errors writes them.
        names: of the classes.
        least: take this many classes, those of lowest accuracy; None applies the paper's rule, `debug_classes`.
        min_missed: see there.

    Raises:
        ValueError: a model lacks images, no class qualifies, or ``least`` exceeds the number of classes.
    """
    of_set = predictions[predictions["set"] == SEED_SOURCE]
    by_model = of_set.pivot(index="image_id", columns="model", values="predicted")
    if by_model.isna().to_numpy().any():
        raise ValueError(f"predictions: a model lacks images of {SEED_SOURCE}; run `dvc repro errors` again")
    labels = of_set.drop_duplicates("image_id").set_index("image_id")["label"].reindex(by_model.index)
    truth, predicted = labels.to_numpy(np.int64), by_model.to_numpy(np.int64).T
    if least is None:
        chosen = debug_classes(predicted, truth, min_missed=min_missed)
    else:
        count = len(np.unique(truth))
        if least > count:
            raise ValueError(f"--least {least}: only {count} classes have images; lower it")
        chosen = least_accurate(predicted, truth, least)
    if not len(chosen):
        raise ValueError(f"--min-missed {min_missed}: no class has that many; lower it, or use --least")
    missed = truth[failures(predicted, truth, chosen)]
    return [ClassErrors(names[index], int((missed == index).sum()), int((truth == index).sum())) for index in chosen]


def failures(
    predictions: Int64[np.ndarray, "models _n"] | ArrayLike,
    labels: Int64[np.ndarray, " n"] | ArrayLike,
    classes: Int64[np.ndarray, " c"] | ArrayLike,
) -> Int64[np.ndarray, " f"]:
    """Indices of the images of ``classes`` that every model misses, ascending.

    A label or prediction of -1 is none of the classes.

    Raises:
        ValueError: shapes do not fit, a label is no class index, or a class has no image.
    """
    labels, classes = as_labels(labels, "labels", lowest=-1), as_labels(classes, "classes")
    unknown = np.setdiff1d(classes, labels)
    if len(unknown):
        raise ValueError(f"classes: class {unknown[0]} has no image among labels; remove it")
    return np.flatnonzero(_missed(predictions, labels).all(axis=0) & np.isin(labels, classes))


def failures_frame(
    predictions: pd.DataFrame, class_names: Sequence[str], params: ErrorsParams, mended: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The seed and held-out images, and those of failure modes that are mended on purpose.

    Args:
        predictions: model, random_state, set, image_id, label, predicted; the original model's name is ``original``.
        class_names: the names that labels index.
        params: debug classes and setting.
        mended: as `read_modes` gives them; None for no modes.

    Returns:
        role (seed, heldout or mode), set, class, image_id, predicted (by the original model); seeds first, each role
        in the order of the original's predictions.

    Raises:
        ValueError: a debug class is unknown or has no image in a set, a model lacks predictions, or a mended image is
            no failure.
    """
    indices = class_indices(params.classes, class_names)
    models = [ORIGINAL, *(params.models if params.setting == "multi" else [])]
    found = []
    for name, role in ROLES.items():
        images = _align(predictions[predictions["set"] == name], name, models)
        labels, guesses = images["label"].to_numpy(np.int64), images[models].to_numpy(np.int64)
        _check_classes_have_images(name, labels, indices, class_names)
        rows = failures(guesses.T, labels, indices)
        columns = {"class": labels[rows], "image_id": images.index[rows], "predicted": guesses[rows, 0]}
        found.append(pd.DataFrame({"role": role, "set": name, **columns}))
    if mended is not None and len(mended):
        found.append(_mode_failures(mended, predictions, class_names, params.classes))
    return pd.concat(found, ignore_index=True)


def collected_for(failures: pd.DataFrame) -> pd.DataFrame:
    """The failures that images are collected for: the seeds, then those of modes that are mended on purpose."""
    return failures[failures["role"].isin(["seed", MODE])].reset_index(drop=True)


def check_something_to_collect(
    failures: pd.DataFrame, predictions: pd.DataFrame, class_names: Sequence[str], params: ErrorsParams
) -> None:
    """See to it that there is a failure to collect images for: without one, all training would be in vain.

    Arguments as for `failures_frame`, and what it gave.

    Raises:
        ValueError: there is none; tells what the original model does miss.
    """
    if len(collected_for(failures)):
        return
    of_set = predictions[(predictions["set"] == SEED_SOURCE) & (predictions["model"] == ORIGINAL)]
    labels = np.unique(of_set.loc[of_set["label"] != of_set["predicted"], "label"])
    missed = [class_names[label] for label in labels]
    if set(missed) & set(params.classes):
        what = "no image of `errors.classes` is missed by the original model and by all of `errors.models`"
        mend = "name models that miss more, or say `errors.setting: single`"
    elif missed:
        what = f"the original model misses no image of `errors.classes`, but some of {some(missed)}"
        mend = "name such classes there, by `debugset debug-classes --least 3`"
    else:
        what = "the original model misses no image of any class"
        mend = f"{_LARGER}, or debug another model (section `original`)"
    raise ValueError(f"{SETS / SEED_SOURCE}: there is nothing to collect images for: {what}; {mend}")


def gaps(failures: pd.DataFrame, class_names: Sequence[str], params: ErrorsParams) -> Iterator[str]:
    """What failures to debug lack, a line each: classes without seeds, and without held-out failures.

    Arguments as for `failures_frame`, and what it gave.
    """
    without = {}
    for role in ROLES.values():
        present = {class_names[label] for label in failures.loc[failures["role"] == role, "class"]}
        without[role] = [name for name in params.classes if name not in present]
    if len(without["seed"]) == len(params.classes):
        yield "failures: no seed of any class, so images are collected for the failures of modes alone"
    elif without["seed"]:
        yield f"failures: no seed of {some(without['seed'])}, so nothing is collected for such images"
    if len(without["heldout"]) == len(params.classes):
        what = "no failure of `errors.classes`, so the gain on failures that nothing is collected for can't be measured"
        yield f"warning: {SETS / HELDOUT_SOURCE}: {what}; {_LARGER}"
    elif without["heldout"]:
        yield f"failures: no held-out failure of {some(without['heldout'])}, so no gain is measured there"


def read_modes(path: Path) -> pd.DataFrame:
    """The failures that `debugset barlow mend` wrote: `MODES_COLUMNS`, as text.

    Raises:
        ValueError: the file lacks a column, or is no table.
    """
    restore = f"restore it (`git checkout {path.name}`)"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: is missing; {restore}")
    mend = f"{restore}, or mend no mode (`debugset barlow mend --none`)"
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        content = "".join(dropwhile(lambda line: line.startswith("#"), lines))
        table = pd.read_csv(io.StringIO(content), dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: is no table of failures ({error}); {mend}") from None
    if missing := [name for name in MODES_COLUMNS if name not in table]:
        raise ValueError(f"{path}: column `{missing[0]}` is missing; {mend}")
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes the first cells of longer rows for names of the rows
        raise ValueError(f"{path}: a row has more cells than the heading; {mend}")
    return table.assign(class_name=table["class_name"].map(composed))


def write_modes(path: Path, table: pd.DataFrame) -> None:
    """Write failures to collect for: `MODES_COLUMNS`."""
    with replacing_file(path) as temporary:
        body = table[MODES_COLUMNS].to_csv(index=False, header=False, lineterminator="\n")
        temporary.write_text(_MODES_HEADER + body, encoding="utf-8")


def _mode_failures(
    mended: pd.DataFrame, predictions: pd.DataFrame, class_names: Sequence[str], debug_names: Sequence[str]
) -> pd.DataFrame:
    """The mended failures with role ``mode``, each once, checked against what the original model says now."""
    which = (predictions["model"] == ORIGINAL) & (predictions["set"] == DIAGNOSIS)
    wrong = predictions[which & (predictions["label"] != predictions["predicted"])]
    labels = dict(zip(wrong["image_id"], wrong["label"], strict=True))
    for row in mended.to_dict("records"):
        place = f"{MENDED_MODES}: image {row['image_id']!r}"
        if row["image_id"] not in labels or class_names[labels[row["image_id"]]] != row["class_name"]:
            mend = f"run `debugset barlow mend {row['mode']}` again"
            raise ValueError(f"{place} is no failure of class {row['class_name']}; {mend}")
        if row["class_name"] not in debug_names:
            what = f"{row['class_name']} is none of `errors.classes`"
            raise ValueError(f"{place}: {what}; add it there or mend another mode")
    found = wrong[wrong["image_id"].isin(mended["image_id"])]
    columns = {"class": found["label"], "image_id": found["image_id"], "predicted": found["predicted"]}
    return pd.DataFrame({"role": MODE, "set": DIAGNOSIS, **columns})


def class_indices(names: Sequence[str], class_names: Sequence[str]) -> Int64[np.ndarray, " c"]:
    """The ascending indices of class names.

    Raises:
        ValueError: a name is not a class.
    """
    unknown = [name for name in names if name not in class_names]
    if unknown:
        known = ", ".join(class_names) if len(class_names) <= 20 else f"{len(class_names)} classes"
        raise ValueError(f"errors.classes: {unknown[0]!r} is not a class of this data ({known})")
    return np.sort(np.array([list(class_names).index(name) for name in names], np.int64))


def _check_classes_have_images(
    name: str, labels: np.ndarray, indices: Int64[np.ndarray, " c"], class_names: Sequence[str]
) -> None:
    """Raise a ValueError that names the set and the class unless every debug class has images in the set."""
    for index in np.setdiff1d(indices, labels):
        what = f"has no image of {class_names[index]}, which `errors.classes` names"
        mend = "take it out there, or make the set larger (section `prepare`)"
        raise ValueError(f"{SETS / name}: {what}; {mend}")


def _align(predictions: pd.DataFrame, name: str, models: list[str]) -> pd.DataFrame:
    """One row an image in the original's order: label, and a column of predictions for each model."""
    first = predictions[predictions["model"] == ORIGINAL].set_index("image_id")
    images = first[["label"]].copy()
    for model in models:
        column = predictions[predictions["model"] == model].set_index("image_id")["predicted"]
        missing = images.index.difference(column.index)
        if not len(first) or len(missing):
            raise ValueError(f"predictions: model {model!r} lacks images of set {name!r}; evaluate it on that set")
        images[model] = column.reindex(images.index)
    return images


def _missed(predictions: ArrayLike, labels: Int64[np.ndarray, " n"]) -> Bool[np.ndarray, "models n"]:
    """Which images each model misses."""
    guesses = as_array(predictions, "predictions")
    if guesses.ndim != 2 or not len(guesses) or guesses.shape[1:] != labels.shape:
        expected = f"models x {len(labels)} images with at least one model"
        raise ValueError(f"predictions: expected {expected}, got shape {guesses.shape}")
    return np.stack([as_labels(of_model, "predictions", lowest=-1) for of_model in guesses]) != labels
