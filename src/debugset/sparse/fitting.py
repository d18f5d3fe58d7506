"""The layers of one model: fitted on most of the training images, chosen by the others, measured on other sets."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64
from torch import nn

from debugset.base.arrays import ArrayLike, as_labels
from debugset.features.matrix import Matrix, RowsOf
from debugset.models.classifier import Classifier
from debugset.sparse.choice import choose_place
from debugset.sparse.elastic_net import SparsePath, elastic_net_path
from debugset.sparse.layer import DecisionLayer
from debugset.sparse.params import SparseParams

SPARSE_LAYER, DENSE_LAYER, OWN_LAYER = "sparse", "dense", "own"  # chosen; without a penalty; the network's


class LabelledFeatures(NamedTuple):
    """What a model sees of an image set."""

    features: Float[Matrix, "n d"]
    labels: Int64[np.ndarray, " n"]


def fit_path(train: LabelledFeatures, classes: Sequence[str], params: SparseParams) -> SparsePath:
    """The path of layers on a random part of the training images; the others give its accuracies."""
    fitted, kept_apart = split(len(train.labels), params.validation, params.random_state)
    return elastic_net_path(
        RowsOf(train.features, fitted),
        train.labels[fitted],
        classes=len(classes),
        validation=(RowsOf(train.features, kept_apart), train.labels[kept_apart]),
        alpha=params.alpha,
        n_lambdas=params.lambdas,
        epsilon=params.epsilon,
    )


def split(count: int, share: float, random_state: int) -> tuple[Int64[np.ndarray, " a"], Int64[np.ndarray, " b"]]:
    """Row numbers in two parts, ascending, the second a random share of them.

    Raises:
        ValueError: a part would be empty.
    """
    second = round(count * share)
    if not 0 < second < count:
        raise ValueError(f"sparse.validation: {share} of {count} training images leaves no image on one side; change it")
    order = np.random.default_rng(random_state).permutation(count)
    return np.sort(order[second:]), np.sort(order[:second])


def chosen_layers(path: SparsePath, params: SparseParams) -> dict[str, int]:
    """The places on the path of the layer that the parameters choose, and of the dense end."""
    place = choose_place(
        path, params.choose, features_per_class=params.features, accuracy_given_up=params.accuracy_given_up
    )
    return {SPARSE_LAYER: place, DENSE_LAYER: len(path.lambdas) - 1}


def own_layer(
    classifier: Classifier, means: Float64[np.ndarray, " d"], scales: Float64[np.ndarray, " d"]
) -> DecisionLayer | None:
    """A network's own last layer, if it is linear in its features; ``means`` and ``scales`` are of these."""
    last = classifier.backbone.get_classifier()
    if not isinstance(last, nn.Linear) or last.in_features != len(means):
        return None
    weights = last.weight.detach().double().numpy().T
    bias = np.zeros(last.out_features) if last.bias is None else last.bias.detach().double().numpy()
    return DecisionLayer(weights, bias, means, scales)


def accuracy(layer: DecisionLayer, features: Float[Matrix, "n _d"], labels: Int64[np.ndarray, " n"] | ArrayLike) -> float:
    """The share of images that a layer gets right."""
    return float((layer.predict(features) == as_labels(labels, "labels", len(features))).mean())


def path_frame(path: SparsePath, measured: Mapping[str, LabelledFeatures]) -> pd.DataFrame:
    """A row a layer of the path, and its accuracy on the validation images and on each of the sets.

    Returns:
        place, lambda, features (a class uses, mean), objective, kkt (residual, as a share of lambda), steps,
        validation, then a column a set; accuracies are shares.
    """
    columns = {
        "place": np.arange(len(path.lambdas)),
        "lambda": path.lambdas,
        "features": path.features_per_class,
        "objective": path.objective,
        "kkt": path.kkt,
        "steps": path.steps,
        "validation": path.accuracy,
    }
    for name, (features, labels) in measured.items():
        values = np.asarray(features[:])  # read once for all layers
        columns[name] = np.array([accuracy(path.layer(place), values, labels) for place in columns["place"]])
    return pd.DataFrame(columns)


def layers_frame(path: pd.DataFrame, places: Mapping[str, int], own: Mapping[str, float] | None) -> pd.DataFrame:
    """The rows of `path_frame` that are named in ``places``, and one of the network's own layer if it is measured."""
    rows = [path.iloc[[place]].assign(layer=name) for name, place in places.items()]
    if own is not None:
        rows.append(pd.DataFrame([{**own, "layer": OWN_LAYER}]))
    return pd.concat(rows, ignore_index=True)
