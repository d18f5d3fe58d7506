"""The training loop, on one device or several: the same global batches and steps whatever the machine."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from debugset.base.machine import device_count
from debugset.base.progress import progress
from debugset.models.classifier import Classifier
from debugset.models.device import device
from debugset.training.batches import TrainingSet, batches
from debugset.training.recipe import Recipe

# Turns the images of a step into what the model trains on, for example adversarial ones: (model, pixels, labels, step).
Attack = Callable[[nn.Module, Tensor, Tensor, int], Tensor]
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]  # of outputs, labels and the images' weights, to one number


def fit(
    classifier: Classifier,
    data: TrainingSet,
    recipe: Recipe,
    size: int,
    random_state: int,
    *,
    loss: Loss | None = None,
    attack: Attack | None = None,
    what: str = "train",
) -> Classifier:
    """Train a classifier in place and return it in evaluation mode, on the CPU.

    Args:
        size: side of the model's input, px.
        random_state: of the batches' order and augmentation.
        loss: what is minimised, by default cross-entropy with the recipe's label smoothing.
        attack: replaces the pixels of each step (adversarial training).
        what: what the progress bar says.

    Raises:
        ValueError: the training set is empty, or the batch does not divide among the devices.
    """
    if len(data) == 0:
        raise ValueError("data: the training set is empty")
    loss = loss or partial(weighted_cross_entropy, label_smoothing=recipe.label_smoothing)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights"
        # Fabric hands itself over as the first argument
        _fabric(recipe).launch(_fit_on_each, classifier, data, recipe, size, random_state, loss, attack, what, weights)
        classifier.load_state_dict(torch.load(weights, weights_only=True))
    return classifier.to("cpu").eval()


def weighted_cross_entropy(
    logits: Float[Tensor, "b c"], labels: Tensor, weights: Tensor, label_smoothing: float
) -> Float[Tensor, ""]:
    """Cross-entropy averaged by the images' weights, as torch's class-weighted loss averages."""
    losses = F.cross_entropy(logits.float(), labels, reduction="none", label_smoothing=label_smoothing)
    return (losses * weights).sum() / weights.sum()


def _fabric(recipe: Recipe) -> Any:
    """What runs the training on the devices that the environment asks for."""
    from lightning_fabric import Fabric

    count, where = device_count(), device()
    if count > 1 and where.index is not None:
        raise ValueError(f"DEBUGSET_DEVICE={where}: names one device, but DEBUGSET_DEVICES asks for {count}; drop one")
    if recipe.batch % count:
        raise ValueError(f"recipe.batch: {recipe.batch} images do not divide among {count} devices; change either")
    return Fabric(
        accelerator=where.type,
        devices=count if where.index is None else [where.index],
        strategy="auto" if count == 1 else "ddp_spawn",
        precision="bf16-mixed" if recipe.precision == "bf16" else "32-true",
    )


def _fit_on_each(
    fabric: Any,
    classifier: Classifier,
    data: TrainingSet,
    recipe: Recipe,
    size: int,
    random_state: int,
    compute_loss: Loss,
    attack: Attack | None,
    what: str,
    weights: Path,
) -> None:
    """What every device runs; all end with the same weights, and the first one writes them."""
    torch.manual_seed(random_state * 1000 + fabric.global_rank)  # an attack's random starts
    if recipe.channels_last:
        classifier = classifier.to(memory_format=torch.channels_last)
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        from timm.layers import convert_sync_batchnorm  # torch's own would drop the activations that timm fuses

        classifier = convert_sync_batchnorm(classifier)  # CPUs know no synchronised kind
    optimiser, schedule = optimiser_and_schedule(classifier, recipe)
    model, optimiser = fabric.setup(classifier, optimiser)
    stream = batches(data, recipe, size, random_state, fabric.device, fabric.global_rank, fabric.world_size)
    bar = progress(stream, what, recipe.steps, unit=" steps", disable=fabric.global_rank > 0)
    for step, batch in enumerate(bar):
        pixels = batch.pixels
        if attack is not None:
            with fabric.autocast():
                pixels = attack(model.module, pixels, batch.labels, step)
        model.train()
        loss = compute_loss(model(pixels), batch.labels, batch.weights)
        # The devices' losses are averaged: a device whose images weigh more has to count for more.
        loss = loss * batch.weights.mean() / fabric.all_reduce(batch.weights.mean())
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimiser.step()
        schedule.step()
        if step % 20 == 0:
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    if fabric.global_rank == 0:  # by a file: what is returned waits in a pipe that the parent reads after the join
        torch.save({name: tensor.detach().cpu() for name, tensor in classifier.state_dict().items()}, weights)


def optimiser_and_schedule(model: nn.Module, recipe: Recipe) -> tuple[Optimizer, LRScheduler]:
    """SGD with Nesterov momentum and the one-cycle learning rate of the recipe."""
    momentum = recipe.momentum
    optimiser = SGD(
        model.parameters(), recipe.peak_lr, momentum=momentum, weight_decay=recipe.weight_decay, nesterov=momentum > 0
    )
    total = recipe.steps + 1  # the schedule's last step has no learning rate
    warmup = recipe.warmup if recipe.warmup * total > 1 else 0.0  # torch divides by zero in less than a step
    return optimiser, OneCycleLR(optimiser, recipe.peak_lr, total_steps=total, pct_start=warmup, cycle_momentum=False)
