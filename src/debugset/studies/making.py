"""From a model's features to a kit."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from debugset.features.matrix import Matrix
from debugset.images.sets import ImageSet
from debugset.sparse.layer import DecisionLayer
from debugset.studies import description, misclassification, simulatability
from debugset.studies.kit import Kit
from debugset.studies.records import Task
from debugset.visuals.feature_pictures import strongest_rows


class Request(NamedTuple):
    """What a kit shall be."""

    kind: str  # of `debugset.studies.kit.KINDS`
    model: str  # its slot, such as robust
    layer: str  # sparse or dense, or barlow for the features of its failure modes
    tasks: int  # how many
    random_state: int
    largest: bool = False  # simulatability: the five most important features instead of five at random


class Inputs(NamedTuple):
    """What a kit is made of."""

    images: ImageSet  # the set that tasks show images of
    features: Matrix  # the model's, of these
    pictures: ImageSet  # the set whose images show what a feature is
    picture_features: Matrix
    layer: DecisionLayer | None = None  # None for Barlow's features
    pairs: list[tuple[int, int]] | None = None  # Barlow's features, each with the class of its failure mode
    errors: pd.DataFrame | None = None  # misclassification: as `misclassification.draw_tasks` takes them


def make_kit(request: Request, inputs: Inputs) -> Kit:
    """Draw a kit's tasks and the pictures of the features that they show; errors as of each kind's ``draw_tasks``."""
    tasks = _draw_tasks(request, inputs)
    shown = sorted({feature for task in tasks for feature in task.features})
    about = {
        "model": request.model,
        "layer": request.layer,
        "features": "largest" if request.largest else "random",
        "random_state": request.random_state,
        "images": inputs.images.folder.name,
        "pictures": inputs.pictures.folder.name,
    }
    return Kit(request.kind, about, inputs.images.classes, _top_pictures(inputs, shown), tuple(tasks))


def _top_pictures(inputs: Inputs, chosen: list[int]) -> dict[int, tuple[str, ...]]:
    """The ids of the images that a feature is shown by, for each of the chosen ones."""
    everything = np.arange(len(inputs.pictures))
    rows = strongest_rows(inputs.picture_features, chosen, everything)
    ids = inputs.pictures.ids[rows]
    return {feature: tuple(map(str, mine)) for feature, mine in zip(chosen, ids, strict=True)}


def _draw_tasks(request: Request, inputs: Inputs) -> list[Task]:
    """The tasks of the requested kind."""
    count, random_state = request.tasks, request.random_state
    features, ids, layer = inputs.features, inputs.images.ids, inputs.layer
    if request.kind == "description":
        pairs = description.positive_pairs(layer) if layer is not None else inputs.pairs or []
        labels, classes = inputs.images.labels, inputs.images.classes
        return [*description.draw_tasks(features, labels, classes, ids, pairs, count, random_state)]
    if layer is None:
        raise ValueError(f"layer: {request.kind} needs a decision layer")
    if request.kind == "misclassification":
        if inputs.errors is None:
            raise ValueError("errors: misclassification needs errors with a blamed feature")
        return [*misclassification.draw_tasks(layer, features, ids, inputs.errors, count, random_state)]
    return [*simulatability.draw_tasks(layer, features, ids, count, random_state, largest=request.largest)]
