"""Scripted annotators of simulatability kits: they prove the machinery, and say nothing of people.

The oracle reads the true activations of the features that are shown: whoever follows them alone can hardly do better.
Chance draws. Between them stands one who sees: another model that compares each image with the features' pictures.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64

from debugset.images.sets import open_set
from debugset.studies.kit import Kit
from debugset.studies.simulatability import LETTERS, Answer, Letter, Task

Vectors = Mapping[str, np.ndarray]  # an embedder's features of images, by their ids


def answer_as_oracle(kit: Kit) -> list[Answer]:
    """What the true activations of the shown features say; a ValueError unless the kit is of simulatability."""
    return [Answer(task=number, choice=task.oracle) for number, task in enumerate(_tasks(kit), 1)]


def answer_by_chance(kit: Kit, random_state: int) -> list[Answer]:
    """One of the three images at random; a ValueError unless the kit is of simulatability."""
    choices = np.random.default_rng(random_state).integers(len(LETTERS), size=len(_tasks(kit)))
    return [Answer(task=number, choice=LETTERS[choice]) for number, choice in enumerate(choices, 1)]


def answer_as_embedder(kit: Kit, embedder: str, sets: Path, models: Path) -> list[Answer]:
    """What a stored model sees, by `answer_by_sight`.

    Args:
        kit: of simulatability.
        embedder: slot of the model.
        sets: folder of the image sets that the kit names.
        models: folder of the slots.

    Raises:
        FileNotFoundError: there is no such model or set.
        ValueError: the kit is of another kind, or shows that model's own features.
    """
    tasks = _tasks(kit)
    if embedder == kit.about["model"]:
        raise ValueError(f"--as: the kit shows features of {embedder} itself; name another embedder, oracle or chance")
    shown = sorted({image for task in tasks for image in task.images})
    pictured = sorted({image for ids in kit.pictures.values() for image in ids})
    images = _embed(models / embedder, sets / kit.about["images"], shown)
    return answer_by_sight(kit, images, _embed(models / embedder, sets / kit.about["pictures"], pictured))


def answer_by_sight(kit: Kit, images: Vectors, pictures: Vectors) -> list[Answer]:
    """The image with the highest sum of weight times similarity to a feature's pictures.

    Similarity is the cosine to the mean of the pictures, standardised over all images of the kit: else a feature would
    count for more because every image is like its pictures.

    Args:
        kit: of simulatability.
        images: an embedder's features of the images of the tasks.
        pictures: the same embedder's of the pictures of features.
    """
    tasks = _tasks(kit)
    shown = sorted({image for task in tasks for image in task.images})
    vectors = np.stack([images[one] for one in shown]).astype(np.float64)
    center, scale = vectors.mean(axis=0), vectors.std(axis=0)
    scale[scale == 0] = 1
    directions = _unit((vectors - center) / scale)
    similarity: dict[int, dict[str, float]] = {}
    for feature, ids in kit.pictures.items():
        seen = np.stack([pictures[one] for one in ids])
        cosines = directions @ _unit((seen - center) / scale).mean(axis=0)
        standardised = (cosines - cosines.mean()) / (cosines.std() or 1)
        similarity[feature] = dict(zip(shown, standardised.tolist(), strict=True))
    return [Answer(task=number, choice=_choose(task, similarity)) for number, task in enumerate(tasks, 1)]


def _choose(task: Task, similarity: Mapping[int, Mapping[str, float]]) -> Letter:
    """The image of a task for which the features speak most."""
    sums = []
    for image in task.images:
        seen = [similarity[feature][image] for feature in task.features]
        sums.append(float(np.dot(task.weights, seen)))
    return LETTERS[int(np.argmax(sums))]


def _embed(model: Path, folder: Path, ids: Sequence[str]) -> dict[str, np.ndarray]:
    """A stored model's features of images of a set."""
    from debugset.models.classifier import load_model
    from debugset.models.inference import prepare_for_inference
    from debugset.models.outputs import compute_outputs

    classifier, about = load_model(model)
    images = open_set(folder)
    rows = images.rows_of(ids)
    features = compute_outputs(prepare_for_inference(classifier).features, images, rows, about.architecture, "fp32")
    return dict(zip(ids, features, strict=True))


def _unit(vectors: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
    """Vectors of length 1; of length 0 where they have none."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def _tasks(kit: Kit) -> list[Task]:
    """The tasks of a simulatability kit."""
    tasks = [task for task in kit.tasks if isinstance(task, Task)]
    if len(tasks) < len(kit.tasks):
        raise ValueError(f"kit: scripts answer simulatability alone, not {kit.kind}; ask people")
    return tasks
