"""The elastic net's path of decision layers (Debuggable deep networks, section 2), solved to its optimum.

Minimised is the mean over images of cross-entropy, plus lambda (alpha |w|_1 + (1 - alpha) / 2 |w|^2) on the weights of
standardised features; the bias is free. The paper's own solver, glm-saga, stops by an absolute change of the loss, long
before the optimum at small lambdas; this one tells how far from it it stopped.
"""

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64

from debugset.base.arrays import ArrayLike, as_floats, as_labels
from debugset.base.machine import workers
from debugset.base.progress import progress
from debugset.features.matrix import Matrix, as_features
from debugset.models.device import device
from debugset.sparse.design import Design
from debugset.sparse.layer import DecisionLayer
from debugset.sparse.loss import Loss
from debugset.sparse.newton import BlockNewton, Goal, Optimum
from debugset.sparse.path import SparsePath
from debugset.sparse.penalty import Penalty
from debugset.sparse.products import full_precision

Examples = tuple[Float[Matrix, "m d"] | ArrayLike, Int64[np.ndarray, " m"] | ArrayLike]  # features and labels

_KKT_SHARE = 1e-2  # of lambda: by how much the optimum's conditions may be violated
_STOP = 5e-3  # of lambda, where steps end: at 1e-2 the objective was seen twice as far above the optimum as asked for
_MAX_STEPS = 1000  # at one lambda; a dozen are usual, hundreds at the dense end
_ANY_ERROR = 1e9  # of the objective at lambda 0: the KKT conditions alone stop there
_ABOVE = 1 + 1e-6  # the first lambda lies this much higher than where rounding could let a weight in
_NEVER = -1e4  # bias of a class without images: its optimum, minus infinity, fits no table


def elastic_net_path(
    features: Float[Matrix, "n d"] | ArrayLike,
    labels: Int64[np.ndarray, " n"] | ArrayLike,
    *,
    classes: int | None = None,
    validation: Examples | None = None,
    class_weights: Float[np.ndarray, " k"] | ArrayLike | None = None,
    alpha: float = 0.99,
    n_lambdas: int = 100,
    epsilon: float = 1e-3,
    keep_logits: bool = True,
    dense_end: bool = True,
    tolerance: float = 1e-6,
    block_rows: int = 2048,
) -> SparsePath:
    """Decision layers from the smallest lambda at which no feature is used, down to the dense end, lambda 0.

    Data that a layer separates have no optimum at 0: its weights would grow for ever. The dense end is therefore where
    steps from the smallest lambda's optimum have brought the gradient to a hundredth of this lambda.

    Args:
        features: images x features, may be larger than memory; float64 is worked on as such, all else in float32.
        labels: class indices. A class without images gets no weight, and a bias by which it is never predicted.
        classes: how many there are; by default the largest label tells.
        validation: features and labels to measure accuracy on.
        class_weights: what an image of each class counts; they are scaled so that the mean over the images is 1.
        alpha: the lasso's share of the penalty, above 0.
        n_lambdas: evenly spaced logarithmically; the dense end comes on top.
        epsilon: the smallest lambda as a share of the largest.
        keep_logits: without, they are computed again when needed: half as many products more, and no matrix
            images x classes in memory.
        dense_end: without, the path ends at the smallest lambda; a model of all features takes 8 d^2 bytes a class.
        tolerance: how far above the optimum the objective may be, as a share.
        block_rows: images that are worked on together.

    Raises:
        ValueError: shapes do not fit, there are no images, a feature is not finite, a label is no class, or a number
            is out of range.

    A warning tells of lambdas at which the conditions of the optimum were not met within 1,000 steps.
    """
    _check_numbers(alpha, n_lambdas, epsilon, tolerance, block_rows)
    features = as_features(features, "features")
    if not len(features):
        raise ValueError("features: there are no images; a layer needs at least one")
    labels = as_labels(labels, "labels", len(features))
    classes = int(labels.max()) + 1 if classes is None else classes
    _check_classes(labels, "labels", classes)
    weights = _image_weights(labels, class_weights, classes)
    measured = None if validation is None else _check_validation(validation, features.shape[1], classes)
    present, codes = np.unique(labels, return_inverse=True)
    with ThreadPoolExecutor(workers()) as pool, full_precision():
        design = Design(features, block_rows, device())
        loss = Loss(design, codes, weights, pool, keep_logits=keep_logits)
        newton = BlockNewton(loss, _null_model(codes, weights, design.width))
        largest = np.abs(newton.slope.gradient[:-1]).max() / alpha * _ABOVE
        lambdas = (largest or 1.0) * np.geomspace(1, epsilon, n_lambdas)  # 0: no feature tells classes apart
        lambdas = np.append(lambdas, 0.0) if dense_end else lambdas
        scales = np.maximum(lambdas, lambdas[n_lambdas - 1])  # which residuals are a share of
        optima = list(_solve(newton, lambdas, scales, alpha, tolerance))
    path = _path(lambdas, scales, optima, design, (present, classes), measured)
    _warn_of_unsolved(path)
    return path


def _solve(
    newton: BlockNewton,
    lambdas: Float64[np.ndarray, " l"],
    scales: Float64[np.ndarray, " l"],
    alpha: float,
    tolerance: float,
) -> Iterator[Optimum]:
    """The optimum of every lambda, each begun at the one before."""
    before = lambdas[0]
    for strength, scale in zip(progress(lambdas, "sparse layers", unit="lambdas"), scales, strict=True):
        expected = np.abs(newton.slope.gradient) > alpha * (2 * strength - before)  # the sequential strong rule
        if strength:
            goal = Goal(_STOP * scale, tolerance, _MAX_STEPS)
        else:
            goal = Goal(_KKT_SHARE * scale, _ANY_ERROR, _MAX_STEPS)
        yield newton.minimise(Penalty(strength, alpha), goal, expected)
        before = strength


def _null_model(
    codes: Int64[np.ndarray, " n"], weights: Float64[np.ndarray, " n"], width: int
) -> Float64[np.ndarray, "w k"]:
    """The optimum without features: every class's share of the images."""
    shares = np.bincount(codes, weights) / len(codes)
    coefficients = np.zeros((width, len(shares)))
    coefficients[-1] = np.log(shares)
    return coefficients


def _path(
    lambdas: Float64[np.ndarray, " l"],
    scales: Float64[np.ndarray, " l"],
    optima: list[Optimum],
    design: Design,
    coded: tuple[Int64[np.ndarray, " p"], int],
    measured: tuple[Matrix, Int64[np.ndarray, " m"]] | None,
) -> SparsePath:
    """The optima as layers; ``coded`` are the classes that have images, and how many classes there are."""
    layers = [_layer(optimum.coefficients, design, *coded) for optimum in optima]
    dtype = np.float64 if design.dtype == torch.float64 else np.float32
    return SparsePath(
        lambdas=lambdas,
        weights=np.stack([layer.weights.astype(dtype) for layer in layers]),
        bias=np.stack([layer.bias for layer in layers]),
        means=design.means,
        scales=design.scales,
        features_per_class=np.array([layer.features_per_class for layer in layers]),
        accuracy=np.array([np.nan if measured is None else layer.accuracy(*measured) for layer in layers]),
        objective=np.array([optimum.objective for optimum in optima]),
        kkt=np.array([optimum.residual for optimum in optima]) / scales,
        steps=np.array([optimum.steps for optimum in optima]),
    )


def _layer(
    coefficients: Float64[np.ndarray, "w p"], design: Design, present: Int64[np.ndarray, " p"], classes: int
) -> DecisionLayer:
    """The layer on features as they are, for all classes; of mean features the logits sum to 0."""
    scales = design.scales[:, None]
    weights, bias = np.zeros((design.width - 1, classes)), np.full(classes, _NEVER)
    weights[:, present] = np.divide(coefficients[:-1], scales, out=np.zeros_like(coefficients[:-1]), where=scales > 0)
    intercepts = coefficients[-1] - coefficients[-1].mean()
    bias[present] = intercepts - design.means @ weights[:, present]
    return DecisionLayer(weights, bias, design.means, design.scales)


def _image_weights(
    labels: Int64[np.ndarray, " n"], class_weights: Float[np.ndarray, " k"] | ArrayLike | None, classes: int
) -> Float64[np.ndarray, " n"]:
    """What each image counts, 1 on average."""
    if class_weights is None:
        return np.ones(len(labels))
    values = as_floats(class_weights, "class_weights").astype(np.float64)
    if values.shape != (classes,) or not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"class_weights: expected a positive number for each of {classes} classes, got {values}")
    weights = values[labels]
    return weights / weights.mean()


def _check_validation(validation: Examples, width: int, classes: int) -> tuple[Matrix, Int64[np.ndarray, " m"]]:
    """Features and labels of the validation images."""
    features = as_features(validation[0], "validation features", width=width)
    if not len(features):
        raise ValueError("validation: there are no images; leave it out, or pass some")
    labels = as_labels(validation[1], "validation labels", len(features))
    _check_classes(labels, "validation labels", classes)
    return features, labels


def _check_classes(labels: Int64[np.ndarray, " n"], name: str, classes: int) -> None:
    """Refuse labels beyond the last class."""
    if labels.max() >= classes:
        raise ValueError(f"{name}: {labels.max()} is no class of {classes}; count from 0, or pass classes")


def _check_numbers(alpha: float, n_lambdas: int, epsilon: float, tolerance: float, block_rows: int) -> None:
    """Refuse numbers out of range."""
    for name, value in {"epsilon": epsilon, "tolerance": tolerance, "alpha": alpha}.items():
        if not 0 < value <= 1:
            raise ValueError(f"{name}: expected a share above 0, at most 1, got {value}")
    for name, value in {"n_lambdas": n_lambdas, "block_rows": block_rows}.items():
        if value < 1:
            raise ValueError(f"{name}: expected a whole number of at least 1, got {value}")


def _warn_of_unsolved(path: SparsePath) -> None:
    """Tell of lambdas at which steps ran out."""
    unsolved = path.lambdas[path.kkt > _KKT_SHARE]
    if len(unsolved):
        warnings.warn(
            f"{len(unsolved)} of {len(path)} lambdas, the first {unsolved[0]:.3g}: after {_MAX_STEPS} steps the "
            f"optimum's conditions are still violated by up to {path.kkt.max():.2g} lambda",
            stacklevel=3,
        )
