"""Simulatability: from the pictures of five features of a hidden class, which image activates that class most?

After *Leveraging Sparse Linear Layers for Debuggable Deep Networks* (Wong, Santurkar and Madry, 2021): the target class
is never named, for people shall follow the features and not what they know of the class.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64
from scipy.special import softmax

from debugset.base.arrays import ArrayLike, as_values
from debugset.features.matrix import Matrix, as_features
from debugset.sparse.layer import DecisionLayer
from debugset.studies import figures, records
from debugset.studies.figures import Figure

BINS = ((0.02, 0.2), (0.2, 0.5), (0.5, 1.0))  # of the target's probability; a task shows an image of each
FEATURES = 5  # shown of the target class
CHANCE = 1 / len(BINS)
Letter = Literal["a", "b", "c"]
LETTERS: tuple[Letter, ...] = ("a", "b", "c")


class Task(records.Task):
    """Up to five features of a hidden class and three images."""

    target: int  # the hidden class
    weights: tuple[float, ...]  # importance of each feature; of the largest that is shown, 1 or -1
    images: tuple[str, ...]  # ids, in the order shown
    probabilities: tuple[float, ...]  # of the target, for each image
    right: Letter  # the image that activates the target most
    oracle: Letter  # which image it would be by the true activations of the shown features alone


class Answer(records.Answer):
    """Which image an annotator takes to activate the hidden class most."""

    choice: Letter


def draw_tasks(
    layer: DecisionLayer,
    features: Float[Matrix, "n d"] | ArrayLike,
    ids: Sequence[str] | np.ndarray,
    count: int,
    random_state: int,
    *,
    largest: bool = False,
) -> list[Task]:
    """Tasks, each of a random class that uses a feature and has images in every bin of probability.

    Args:
        layer: the layer that people shall simulate.
        features: of the images that may be shown.
        ids: of these images.
        count: how many tasks.
        random_state: of the draws; the first tasks are the same, however many there are.
        largest: show the five most important features of the class instead of five at random.

    Raises:
        ValueError: no class has images in every bin.
    """
    matrix = np.asarray(as_features(features, "features", width=len(layer.weights)), np.float64)
    ids = as_values(ids, "ids", len(matrix))
    probabilities = softmax(layer.logits(matrix), axis=1)
    targets = _possible_targets(layer, probabilities)
    standardised = (matrix - layer.means) / np.where(layer.scales > 0, layer.scales, 1)
    tasks = []
    for number in range(count):
        generator = np.random.default_rng([random_state, number])
        target = int(generator.choice(targets))
        drawn = [generator.choice(_rows_between(probabilities[:, target], *bounds)) for bounds in BINS]
        rows = generator.permutation(drawn)
        shown = _draw_features(layer, target, generator, largest)
        tasks.append(_task(layer, target, shown, ids[rows], probabilities[rows, target], standardised[rows]))
    return tasks


def compute_figures(tasks: Sequence[Task], answers: pd.DataFrame) -> list[Figure]:
    """The share right, the oracle's on the same tasks, and how much of the oracle's lead over chance that is.

    Args:
        tasks: of the kit.
        answers: task, annotator, choice.
    """
    answered = [tasks[number - 1] for number in answers["task"]]
    truth = np.array([task.right for task in answered], object)
    right = (answers["choice"].to_numpy(object) == truth).astype(float)
    oracle = (np.array([task.oracle for task in answered], object) == truth).astype(float)

    def lead(mean: figures.Mean) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):  # an oracle at chance has no lead
            return (mean(right) - CHANCE) / (mean(oracle) - CHANCE)

    return [
        figures.share("right", right, answers, chance=CHANCE),
        figures.share("oracle right", oracle, answers, chance=CHANCE),
        figures.statistic("part of the oracle's lead", lead, answers, chance=0.0),
    ]


def _possible_targets(layer: DecisionLayer, probabilities: Float64[np.ndarray, "n k"]) -> list[int]:
    """The classes that use a feature and have images in every bin."""
    targets = []
    for class_, column in enumerate(probabilities.T):
        filled = all(len(_rows_between(column, *bounds)) for bounds in BINS)
        if filled and len(layer.used(class_)):
            targets.append(class_)
    if not targets:
        bins = ", ".join(f"({low}, {high}]" for low, high in BINS)
        raise ValueError(f"features: no class that uses features has images with p in each of {bins}; give more images")
    return targets


def _rows_between(column: Float64[np.ndarray, " n"], low: float, high: float) -> Int64[np.ndarray, " _m"]:
    return np.flatnonzero((column > low) & (column <= high))


def _draw_features(
    layer: DecisionLayer, target: int, generator: np.random.Generator, largest: bool
) -> Int64[np.ndarray, " _f"]:
    """Up to five features that a class uses, the most important first."""
    used = layer.used(target)
    if largest or len(used) <= FEATURES:
        return used[:FEATURES]
    return used[np.sort(generator.choice(len(used), FEATURES, replace=False))]


def _task(
    layer: DecisionLayer,
    target: int,
    shown: Int64[np.ndarray, " f"],
    ids: np.ndarray,
    probabilities: Float64[np.ndarray, " 3"],
    standardised: Float64[np.ndarray, "3 d"],
) -> Task:
    """A task from what was drawn for it; the rows are those of its images."""
    importance = layer.importance[shown, target]
    said = standardised[:, shown] @ importance  # by the shown features alone
    largest = np.abs(importance).max() or 1  # only constant features are used
    return Task(
        features=tuple(shown.tolist()),
        target=target,
        weights=tuple(np.round(importance / largest, 6).tolist()),
        images=tuple(map(str, ids)),
        probabilities=tuple(np.round(probabilities, 6).tolist()),
        right=LETTERS[int(probabilities.argmax())],
        oracle=LETTERS[int(said.argmax())],
    )
