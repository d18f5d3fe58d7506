"""Attribute networks: one score an attribute, trained on +1 and -1 or on continuous values (the paper's note 2)."""

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from debugset.images.sets import ImageSet
from debugset.models.classifier import Classifier, Description, build
from debugset.models.registry import Architecture
from debugset.relations import alexnet  # noqa: F401 - it makes two names known to timm
from debugset.relations.params import AttributesParams
from debugset.training.batches import TrainingSet
from debugset.training.loop import fit


def architecture(params: AttributesParams) -> Architecture:
    """How the network that params name is built.

    Raises:
        ValueError: timm does not know the name.
    """
    import timm

    if not timm.is_model(params.architecture):
        raise ValueError(
            f"attributes.architecture: `{params.architecture}` is unknown; "
            "say small_alexnet, alexnet, or a model of timm"
        )
    options = {"side": params.side} if params.architecture == "small_alexnet" else {}
    return Architecture(params.architecture, "scratch", params.side, options=options)


def fit_attributes(
    images: ImageSet,
    rows: np.ndarray,
    attributes: pd.DataFrame,
    params: AttributesParams,
    seed: int,
    describe: str,
) -> tuple[Classifier, Description]:
    """Train an attribute network from random weights.

    Args:
        images: where the images are.
        rows: those to train on, ascending.
        attributes: of those images.
        params: architecture, loss and recipe.
        seed: of weights and order.
        describe: what the progress bar says.

    Raises:
        ValueError: the architecture is unknown, or the training diverged.
    """
    built = architecture(params)
    torch.manual_seed(seed)
    network = build(built, attributes.shape[1])
    data = TrainingSet([(images, rows)], attributes.to_numpy(np.float32), np.ones(len(rows), np.float32))
    loss = logistic if params.loss == "logistic" else squared
    fit(network, data, params.recipe(), params.side, seed, loss=loss, describe=describe)
    if not all(bool(torch.isfinite(weights).all()) for weights in network.state_dict().values()):
        raise ValueError(f"{describe}: the training diverged, its weights are no numbers; lower attributes.peak_lr")
    return network, Description(
        params.architecture, built, tuple(attributes.columns), f"trained from scratch, seed {seed}"
    )


def logistic(scores: Float[Tensor, "b a"], values: Float[Tensor, "b a"], weights: Float[Tensor, " b"]) -> Tensor:
    """log(1 + exp(-Y Y*)), summed over the attributes, averaged over the images."""
    return (F.softplus(-scores.float() * values).sum(1) * weights).sum() / weights.sum()


def squared(scores: Float[Tensor, "b a"], values: Float[Tensor, "b a"], weights: Float[Tensor, " b"]) -> Tensor:
    """(Y* - Y)^2, summed over the attributes, averaged over the images."""
    return ((scores.float() - values).square().sum(1) * weights).sum() / weights.sum()
