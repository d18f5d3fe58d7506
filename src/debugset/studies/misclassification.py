"""Misclassification: does the feature that is blamed for an error match the image, and better than the true class's?

After Wong, Santurkar and Madry (2021): beside a wrongly classified image stand the pictures of two features, unnamed
and in random order. In half of the tasks a randomly chosen feature takes the blamed one's place: the control.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64
from pydantic import model_validator

from debugset.base.arrays import ArrayLike, as_values
from debugset.features.matrix import Matrix, as_features
from debugset.sparse.layer import DecisionLayer
from debugset.studies import figures, records
from debugset.studies.figures import Figure

Letter = Literal["a", "b"]
ERROR_COLUMNS = ["row", "label", "predicted", "blamed"]


class Task(records.Task):
    """A wrongly classified image and two features."""

    image: str  # its id
    label: int
    predicted: int
    control: bool  # whether a random feature stands in the blamed one's place
    suspect: Letter  # which of the two features is the blamed one, or the random one of a control


class Answer(records.Answer):
    """Which of the features match the image, and which matches better if both do."""

    match: Literal["a", "b", "both", "none"]
    better: Letter | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Answer":
        if self.match == "both" and self.better is None:
            raise ValueError("which matches better is missing")
        return self


def draw_tasks(
    layer: DecisionLayer,
    features: Float[Matrix, "n d"] | ArrayLike,
    ids: Sequence[str] | np.ndarray,
    errors: pd.DataFrame,
    count: int,
    random_state: int,
) -> list[Task]:
    """Tasks of distinct errors; every second one, in random order, is a control.

    Args:
        layer: the layer that errs.
        features: of the images.
        ids: of the images.
        errors: row (of the features), label, predicted and blamed, the feature whose removal corrects the error.
        count: how many tasks; fewer, if there are fewer errors whose true class uses another feature.
        random_state: of the draws.

    Raises:
        ValueError: there is no such error.
    """
    matrix = as_features(features, "features", width=len(layer.weights))
    ids = as_values(ids, "ids", len(matrix))
    generator = np.random.default_rng(random_state)
    tasks: list[Task] = []
    for row, label, predicted, blamed in errors[ERROR_COLUMNS].to_numpy(np.int64)[generator.permutation(len(errors))]:
        own = _most_activated(layer, np.asarray(matrix[int(row)], np.float64), int(label))
        if own is None or own == blamed:
            continue
        control = len(tasks) % 2 == 1
        suspect = _random_feature(layer, [own, int(blamed)], generator) if control else int(blamed)
        suspect_first = bool(generator.integers(2))
        task = Task(
            features=(suspect, own) if suspect_first else (own, suspect),
            image=str(ids[row]),
            label=int(label),
            predicted=int(predicted),
            control=control,
            suspect="a" if suspect_first else "b",
        )
        tasks.append(task)
        if len(tasks) == count:
            break
    if not tasks:
        raise ValueError("errors: none is corrected by a feature other than its true class's own; give more errors")
    return [tasks[place] for place in generator.permutation(len(tasks))]


def compute_figures(tasks: Sequence[Task], answers: pd.DataFrame) -> list[Figure]:
    """How often the blamed feature, the true class's and the control's are said to match, and which matches better.

    Args:
        tasks: of the kit.
        answers: task, annotator, match, better.
    """
    answered = [tasks[number - 1] for number in answers["task"]]
    suspect = np.array([task.suspect for task in answered], object)
    own = np.where(suspect == "a", "b", "a")
    control = np.array([task.control for task in answered], bool)
    match = answers["match"].to_numpy(object)
    better = np.where(match == "both", answers["better"].to_numpy(object), match)
    found: list[Figure] = []
    for name, rows in (("blamed feature", ~control), ("random feature", control)):
        mine, some = answers[rows], rows & (match != "none")
        found.append(figures.share(f"{name} matches", _holds(match, suspect)[rows], mine))
        found.append(figures.share(f"true class's matches beside the {name}", _holds(match, own)[rows], mine))
        # of the answers that say that any matches
        found.append(figures.share(f"{name} matches better", (better == suspect)[some], answers[some], chance=0.5))
    return found


def _most_activated(layer: DecisionLayer, image: Float64[np.ndarray, " d"], class_: int) -> int | None:
    """The feature most activated in an image, in standard deviations, of those that speak for a class, if any do."""
    speaking = np.flatnonzero(layer.importance[:, class_] > 0)
    if not len(speaking):
        return None
    standardised = (image - layer.means)[speaking] / layer.scales[speaking]
    return int(speaking[standardised.argmax()])


def _random_feature(layer: DecisionLayer, others: list[int], generator: np.random.Generator) -> int:
    """A feature that any class uses, and none of the others."""
    candidates = np.setdiff1d(np.flatnonzero(layer.weights.any(axis=1)), others)
    if not len(candidates):
        raise ValueError("layer: uses two features alone, so there is none for the control; name another layer")
    return int(generator.choice(candidates))


def _holds(match: np.ndarray, letters: np.ndarray) -> np.ndarray:
    """Whether each answer says that the feature of that letter matches."""
    return (match == letters) | (match == "both")
