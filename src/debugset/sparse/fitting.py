"""The layers of one model: fitted on most of the training images, chosen by the others, measured on other sets."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64
from torch import nn

from debugset.base.paths import TRAIN
from debugset.features.matrix import Matrix, RowsOf
from debugset.models.classifier import Classifier
from debugset.sparse.choice import by_accuracy, by_features, by_optimum
from debugset.sparse.elastic_net import elastic_net_path
from debugset.sparse.layer import DecisionLayer
from debugset.sparse.params import SparseParams
from debugset.sparse.path import SparsePath

SPARSE_LAYER, DENSE_LAYER, OWN_LAYER = "sparse", "dense", "own"  # chosen; without a penalty; the network's


class Measured(NamedTuple):
    """An image set as a model sees it."""

    features: Float[Matrix, "n d"]
    labels: Int64[np.ndarray, " n"]
    ids: np.ndarray


class Fitted(NamedTuple):
    """The layers of a model that are looked at, by name, and tables of all."""

    layers: dict[str, DecisionLayer]
    tables: dict[str, pd.DataFrame]


def fit_model(
    measured: Mapping[str, Measured], classes: int, classifier: Classifier | None, params: SparseParams
) -> Fitted:
    """The chosen layer and the dense end of a model.

    Args:
        measured: the training images by the name `TRAIN`, and the sets that accuracies are measured on.
        classes: how many there are.
        classifier: the model, if it tells these classes apart itself.

    Returns:
        With the tables path (of `path_frame`); layers, its rows of the named layers, and one of the model's own.
    """
    path = fit_path(measured[TRAIN], classes, params)
    others = {name: one for name, one in measured.items() if name != TRAIN}
    table = path_frame(path, others)
    places = chosen_layers(path, params)
    rows = [table.iloc[[place]].assign(layer=name) for name, place in places.items()]
    own = None if classifier is None else own_layer(classifier, path.means, path.scales)
    if own is not None:
        accuracies = {name: own.accuracy(one.features, one.labels) for name, one in others.items()}
        rows.append(pd.DataFrame([{"features": own.features_per_class, **accuracies, "layer": OWN_LAYER}]))
    layers = {name: path.layer(place) for name, place in places.items()}
    return Fitted(layers, {"path": table, "layers": pd.concat(rows, ignore_index=True)})


def fit_path(train: Measured, classes: int, params: SparseParams) -> SparsePath:
    """The path of layers on a random part of the training images; the others give its accuracies."""
    fitted, kept_apart = split(len(train.labels), params.validation, params.random_state)
    return elastic_net_path(
        RowsOf(train.features, fitted),
        train.labels[fitted],
        classes=classes,
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
        raise ValueError(
            f"sparse.validation: {share} of {count} training images leaves no image on one side; change it"
        )
    order = np.random.default_rng(random_state).permutation(count)
    return np.sort(order[second:]), np.sort(order[:second])


def chosen_layers(path: SparsePath, params: SparseParams) -> dict[str, int]:
    """The places on the path of the layer that the parameters choose, and of the dense end."""
    choices = {
        "features": lambda: by_features(path, params.features),
        "accuracy": lambda: by_accuracy(path, params.points),
        "validation": lambda: by_optimum(path),
    }
    return {SPARSE_LAYER: choices[params.choose](), DENSE_LAYER: len(path) - 1}


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


def path_frame(path: SparsePath, measured: Mapping[str, Measured]) -> pd.DataFrame:
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
    for name, one in measured.items():
        values = np.asarray(one.features[:])  # read once for all layers
        columns[name] = np.array([path.layer(place).accuracy(values, one.labels) for place in range(len(path))])
    return pd.DataFrame(columns)
