"""Description: what do images that activate a feature have in common, and does it belong to the object?

Images of two classes are shown, for those of one class have much in common that does not activate the feature (Wong,
Santurkar and Madry, 2021). A pattern in the surroundings is called spurious for that class. The same questions serve
the features of Barlow's failure modes (Singla et al., 2021, section 8).
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64
from pydantic import Field, model_validator

from debugset.base.arrays import ArrayLike, as_labels, as_values
from debugset.features.matrix import Matrix, as_features
from debugset.sparse.layer import DecisionLayer
from debugset.studies import figures, records
from debugset.studies.figures import Figure
from debugset.studies.patterns import SHOWN, top_rows

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
    values = np.asarray(matrix, np.float64)
    labels = as_labels(labels, "labels", len(matrix))
    ids = as_values(ids, "ids", len(matrix))
    pairs = list(pairs)
    generator = np.random.default_rng(random_state)
    tasks: dict[int, Task] = {}
    for place in generator.permutation(len(pairs)):
        feature, class_ = pairs[place]
        if feature not in tasks and len(tasks) < count:
            rows = _strongest_rows(class_, values[:, feature], labels)
            if rows is not None:
                tasks[feature] = _task(feature, rows, classes, ids, generator)
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


def _strongest_rows(
    class_: int, values: Float64[np.ndarray, " n"], labels: Int64[np.ndarray, " n"]
) -> dict[int, np.ndarray] | None:
    """The rows of the images that activate a feature most, of a class and of the other class that activates it most.

    Only classes with a whole row of active images are shown; None if there are not two.
    """
    tops: dict[int, np.ndarray] = {}
    for one in np.unique(labels[values > 0]).tolist():
        members = np.flatnonzero((labels == one) & (values > 0))
        if len(members) >= SHOWN:
            tops[one] = members[top_rows(values[members])]
    others = [one for one in tops if one != class_]
    if class_ not in tops or not others:
        return None
    partner = max(others, key=lambda one: values[tops[one]].mean())
    return {class_: tops[class_], partner: tops[partner]}


def _task(
    feature: int, rows: dict[int, np.ndarray], classes: Sequence[str], ids: np.ndarray, generator: np.random.Generator
) -> Task:
    """The task of a feature from the rows of two classes, which come in random order."""
    first, second = generator.permutation(list(rows)).tolist()
    images = (tuple(map(str, ids[rows[first]])), tuple(map(str, ids[rows[second]])))
    return Task(feature=feature, classes=(classes[first], classes[second]), images=images)


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
