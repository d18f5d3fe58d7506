"""Choosing the debug classes from predictions on mfreq: the paper's rule, or the n least accurate."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from debugset.errors import debug_classes, least_accurate
from debugset.images.sets import open_set

PREDICTIONS = Path("data/errors/predictions.parquet")
SET = "mfreq"


class ClassErrors(NamedTuple):
    """How often a class is missed.

    Attributes:
        name: the class.
        missed: its images that every model misses.
        images: all its images.
    """

    name: str
    missed: int
    images: int


def choose(least: int | None = None, min_missed: int = 3) -> list[ClassErrors]:
    """The debug classes by the predictions that stage errors recorded, in the order of the classes.

    Args:
        least: take this many classes, those of lowest accuracy; None applies the paper's rule (Appendix A: at
            least ``min_missed`` images that every model misses).
        min_missed: see there.

    Raises:
        FileNotFoundError: there are no predictions yet.
        ValueError: no class qualifies, or ``least`` exceeds the number of classes.
    """
    if not PREDICTIONS.is_file():
        raise FileNotFoundError(f"{PREDICTIONS}: no predictions yet; run `dvc repro errors`")
    names = open_set(Path("data/sets") / SET).classes
    return from_predictions(pd.read_parquet(PREDICTIONS), names, least=least, min_missed=min_missed)


def from_predictions(
    predictions: pd.DataFrame, names: tuple[str, ...], *, least: int | None = None, min_missed: int = 3
) -> list[ClassErrors]:
    """`choose` on a frame of predictions: columns model, set, image_id, label, predicted.

    Raises:
        ValueError: a model lacks images, no class qualifies, or ``least`` exceeds the number of classes.
    """
    of_set = predictions[predictions["set"] == SET]
    by_model = of_set.pivot(index="image_id", columns="model", values="predicted")
    if by_model.isna().to_numpy().any():
        raise ValueError(f"{PREDICTIONS}: a model lacks images of {SET}; run `dvc repro errors` again")
    labels = of_set.drop_duplicates("image_id").set_index("image_id")["label"].reindex(by_model.index)
    truth, predicted = labels.to_numpy(np.int64), by_model.to_numpy(np.int64).T
    if least is None:
        chosen = debug_classes(predicted, truth, min_missed=min_missed)
    else:
        chosen = least_accurate(predicted, truth, least)
    if not len(chosen):
        raise ValueError(f"--min-missed {min_missed}: no class has that many; lower it, or use --least")
    missed = (predicted != truth).all(0)
    counted = [(names[index], missed[truth == index]) for index in chosen]
    return [ClassErrors(name, int(of_class.sum()), len(of_class)) for name, of_class in counted]
