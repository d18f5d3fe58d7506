"""Training the project's models: a fresh classifier by the recipe, plainly or against L2 attacks."""

from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from debugset.images.sets import ImageSet
from debugset.models.attacks import l2_attack
from debugset.models.classifier import Classifier, Description, build
from debugset.models.inference import prepare_for_inference
from debugset.models.outputs import pixel_batches, predict
from debugset.models.params import RobustParams
from debugset.models.registry import find_architecture
from debugset.training.batches import TrainingSet
from debugset.training.loop import Attack, fit
from debugset.training.recipe import Recipe


def whole_set(images: ImageSet) -> TrainingSet:
    """All images of a set, each with weight 1."""
    rows = np.arange(len(images), dtype=np.int64)
    return TrainingSet([(images, rows)], images.labels, np.ones(len(images), np.float32))


def fit_fresh(
    name: str,
    data: TrainingSet,
    classes: tuple[str, ...],
    recipe: Recipe,
    random_state: int,
    *,
    attack: Attack | None = None,
    what: str = "train",
) -> tuple[Classifier, Description]:
    """Train a model, named as in the registry, from random weights.

    Args:
        random_state: of weights, order and augmentation.
        attack: replaces the images of each step, for adversarial training.
        what: what the progress bar says.
    """
    architecture = find_architecture(name)
    torch.manual_seed(random_state)
    classifier = build(architecture, len(classes))
    fit(classifier, data, recipe, architecture.input_size, random_state, attack=attack, what=what)
    return classifier, Description(name, architecture, classes, f"trained from scratch, random_state {random_state}")


def training_attack(params: RobustParams) -> Attack:
    """The attack that adversarial training puts before each step, none in the first ``clean_steps``."""
    return partial(_attack_step, params)


def _attack_step(params: RobustParams, model: nn.Module, pixels: Tensor, labels: Tensor, step: int) -> Tensor:
    if step < params.clean_steps:
        return pixels
    length = params.attack_step * params.radius
    return l2_attack(model, pixels, labels, radius=params.radius, step=length, steps=params.attack_steps)


def robust_accuracy(classifier: Classifier, images: ImageSet, params: RobustParams, batch: int) -> dict[str, float]:
    """Accuracy on images of a set, evenly spaced, clean and under L2 attacks of half, once and twice the radius.

    The classifier is in evaluation mode; each of the ``evaluation_steps`` is 2.5 radius / steps long.
    """
    count = min(params.evaluation_images, len(images))
    rows = np.arange(count) * len(images) // count  # sets may be sorted by class
    description = Description(params.architecture, find_architecture(params.architecture), images.classes, "")
    clean = predict(prepare_for_inference(classifier), description, images, rows, "fp32")
    scores = {"clean": float((clean == images.labels[rows]).mean())}
    for factor in (0.5, 1.0, 2.0):
        radius = factor * params.radius
        scores[f"L2 {radius:g}"] = _accuracy_under_attack(classifier, images, rows, radius, params, batch)
    return scores


def _accuracy_under_attack(
    classifier: Classifier, images: ImageSet, rows: np.ndarray, radius: float, params: RobustParams, batch: int
) -> float:
    device = next(classifier.parameters()).device
    generator = torch.Generator().manual_seed(params.random_state)
    label_batches = torch.from_numpy(images.labels[rows]).to(device).split(batch)
    right = 0
    steps, step = params.evaluation_steps, 2.5 * radius / params.evaluation_steps
    architecture = find_architecture(params.architecture)
    for pixels, labels in zip(pixel_batches(images, rows, architecture, batch), label_batches, strict=True):
        start = pixels.to(device)
        attacked = l2_attack(classifier, start, labels, radius=radius, step=step, steps=steps, generator=generator)
        with torch.inference_mode():
            right += int((classifier(attacked).argmax(1) == labels).sum())
    return right / len(rows)
