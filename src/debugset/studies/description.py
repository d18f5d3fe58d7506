"""Description: what do images that activate a feature have in common, and does it belong to the object?

Images of two classes are shown, for those of one class have much in common that does not activate the feature (Wong,
Santurkar and Madry, 2021). A pattern in the surroundings is called spurious for that class. The same questions serve
the features of Barlow's failure modes (Singla et al., 2021, section 8).
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64
from pydantic import Field, model_validator

from debugset.base.arrays import ArrayLike, as_labels, as_values
from debugset.features.matrix import Matrix, as_features
from debugset.sparse.layer import DecisionLayer
from debugset.studies import figures, records
from debugset.studies.figures import Figure
from debugset.visuals.feature_pictures import SHOWN, strongest_rows

LONGEST_TEXT = 200  # characters

Place = Literal["object", "surroundings"]


class Task(records.Task):
    """Images of two classes that strongly activate a feature."""

    feature: int
    classes: tuple[str, str]  # their names, in the order shown
    images: tuple[tuple[str, ...], tuple[str, ...]]  # ids, for each class, the strongest first


class Answer(records.Answer):
    """What an annotator sees; text and places only where there is a pattern."""

    pattern: Literal["yes", "no"]
    text: str = Field("", max_length=LONGEST_TEXT)
    first: Place | None = None  # where the pattern lies in images of the first class
    second: Place | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Answer":
        if self.pattern == "yes" and not (self.text.strip() and self.first and self.second):
            raise ValueError("a pattern needs a text and a place for both classes")
        return self


class _Top(NamedTuple):
    """The images of a class that activate a feature most."""

    rows: Int64[np.ndarray, " s"]
    mean: float  # of the feature in them


def positive_pairs(layer: DecisionLayer) -> list[tuple[int, int]]:
    """Every feature with a class that it speaks for."""
    features, classes = np.nonzero(layer.importance > 0)
    return list(zip(features.tolist(), classes.tolist(), strict=True))


def draw_tasks(
    features: Float[Matrix, "n d"] | ArrayLike,
    labels: Int64[np.ndarray, " n"] | ArrayLike,
    classes: Sequence[str],
    ids: Sequence[str] | np.ndarray,
    pairs: Iterable[tuple[int, int]],
    count: int,
    random_state: int,
) -> list[Task]:
    """Tasks of distinct features, each with a class and the other class whose images activate it most.

    Args:
        features: of the images that may be shown.
        labels: of these images.
        classes: names that labels are indices into.
        ids: of these images.
        pairs: a feature and a class each, of which one is drawn for a feature; `positive_pairs` gives those of a layer.
        count: how many tasks; fewer, if there are fewer features that activate in two classes.
        random_state: of the draws.

    Raises:
        ValueError: no feature of the pairs activates in images of two classes.
    """
    matrix = as_features(features, "features")
    labels = as_labels(labels, "labels", len(matrix))
    ids = as_values(ids, "ids", len(matrix))
    pairs = list(pairs)
    chosen = sorted({feature for feature, _ in pairs})
    tops = _top_images(matrix, labels, chosen)
    generator = np.random.default_rng(random_state)
    tasks: dict[int, Task] = {}
    for place in generator.permutation(len(pairs)):
        feature, class_ = pairs[place]
        if feature in tasks or len(tasks) == count:
            continue
        mine = tops[feature]
        others = [one for one in mine if one != class_]
        if class_ in mine and others:
            partner = max(others, key=lambda one: mine[one].mean)
            shown = [(classes[one], mine[one].rows) for one in generator.permutation([class_, partner])]
            tasks[feature] = _task(feature, shown, ids)
    if not tasks:
        raise ValueError("pairs: none of these features activates in images of two classes; give other ones")
    return list(tasks.values())


def compute_figures(tasks: Sequence[Task], answers: pd.DataFrame) -> list[Figure]:
    """How often there is a pattern, how often it is spurious, and how often two annotators agree.

    Args:
        tasks: of the kit.
        answers: task, annotator, pattern, first, second.
    """
    seen = answers[answers["pattern"] == "yes"]
    spurious = np.asarray(seen[["first", "second"]] == "surroundings", bool)
    return [
        figures.share("sees a pattern", (answers["pattern"] == "yes").to_numpy(), answers),
        figures.statistic("spurious for a class", lambda mean: mean(spurious.mean(axis=1)), seen),
        figures.share("spurious for both", np.all(spurious, axis=1), seen),
        _agreement("agree on the pattern", _pairs_of_answers(answers, ["pattern"])),
        _agreement("agree on the place", _pairs_of_answers(seen, ["first", "second"])),
        *_spurious_by_class(tasks, seen),
    ]


def _top_images(matrix: Matrix, labels: Int64[np.ndarray, " n"], chosen: list[int]) -> dict[int, dict[int, _Top]]:
    """Of each chosen feature for each class the images that activate it most.

    Classes without a whole row of images in which the feature is active are left out.
    """
    tops: dict[int, dict[int, _Top]] = {feature: {} for feature in chosen}
    for class_ in np.unique(labels).tolist():
        rows = strongest_rows(matrix, chosen, np.flatnonzero(labels == class_))
        for feature, mine in zip(chosen, rows, strict=True):
            values = np.asarray(matrix[mine])[:, feature]
            if len(mine) == SHOWN and values.min() > 0:
                tops[feature][class_] = _Top(mine, float(values.mean()))
    return tops


def _task(feature: int, shown: list[tuple[str, np.ndarray]], ids: np.ndarray) -> Task:
    """The task of a feature from the names of two classes and the rows of their images."""
    (first, first_rows), (second, second_rows) = shown
    images = (tuple(map(str, ids[first_rows])), tuple(map(str, ids[second_rows])))
    return Task(feature=feature, classes=(first, second), images=images)


def _spurious_by_class(tasks: Sequence[Task], seen: pd.DataFrame) -> list[Figure]:
    """For each class that was shown the share of patterns that lie in its surroundings."""
    rows = []
    for answer in seen.to_dict("records"):
        for class_, field in zip(tasks[answer["task"] - 1].classes, ("first", "second"), strict=True):
            rows.append((answer["task"], answer["annotator"], class_, answer[field] == "surroundings"))
    table = pd.DataFrame(rows, columns=["task", "annotator", "class", "spurious"])
    parts = table.groupby("class", sort=True)
    return [figures.share(f"spurious for {name}", part["spurious"].to_numpy(), part) for name, part in parts]


def _pairs_of_answers(answers: pd.DataFrame, fields: list[str]) -> pd.DataFrame:
    """Two annotators' answers to the same question of the same task: task, one, other."""
    rows = []
    for task, mine in answers.groupby("task", sort=True):
        for field in fields:
            rows += [(task, one, other) for one, other in combinations(mine[field], 2)]
    return pd.DataFrame(rows, columns=["task", "one", "other"])


def _agreement(name: str, pairs: pd.DataFrame) -> Figure:
    """The share of pairs that say the same, over tasks; chance is two answers drawn from all of them."""
    said = pd.concat([pairs["one"], pairs["other"]]).value_counts(normalize=True)
    chance = float((said**2).sum()) if len(pairs) else np.nan
    return figures.share(name, np.asarray(pairs["one"] == pairs["other"]), pairs.assign(annotator=""), chance=chance)
