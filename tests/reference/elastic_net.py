"""The elastic net straight from its definition: FISTA with restarts on the whole matrix, in float64."""

import numpy as np
from scipy.special import log_softmax, softmax


def standardise(features):
    """Features of mean 0 and deviation 1; constant ones are 0."""
    centred = features - features.mean(axis=0)
    deviation = centred.std(axis=0)
    return centred / np.where(deviation > 0, deviation, 1)


def objective(x, labels, weights, bias, strength, alpha, images=1.0):
    """Mean cross-entropy, each image counting what `images` says, plus the penalty."""
    losses = -log_softmax(x @ weights + bias, axis=1)[np.arange(len(x)), labels]
    return (images * losses).mean() + strength * (alpha * np.abs(weights).sum() + (1 - alpha) / 2 * (weights**2).sum())


def gradient(x, labels, weights, bias, images=1.0):
    """The derivatives of the mean cross-entropy by weights and bias."""
    residuals = softmax(x @ weights + bias, axis=1)
    residuals[np.arange(len(x)), labels] -= 1
    residuals *= np.reshape(images, (-1, 1)) / len(x)
    return x.T @ residuals, residuals.sum(axis=0)


def kkt(x, labels, weights, bias, strength, alpha, images=1.0):
    """The largest violation of the conditions that hold at the optimum."""
    by_weights, by_bias = gradient(x, labels, weights, bias, images)
    smooth = by_weights + strength * (1 - alpha) * weights
    used = np.abs(smooth + strength * alpha * np.sign(weights))
    unused = np.abs(smooth) - strength * alpha
    return max(np.where(weights != 0, used, unused).max(), np.abs(by_bias).max())


def fista(x, labels, weights, bias, strength, alpha, images=1.0, violation=1e-7):
    """Weights and bias at the optimum, from a start; until the conditions are violated by no more."""
    lipschitz = np.max(images) * (np.linalg.norm(x, 2) ** 2 / len(x) + 1) / 2
    best = objective(x, labels, weights, bias, strength, alpha, images)
    ahead, ahead_bias, momentum = weights, bias, 1.0
    while kkt(x, labels, weights, bias, strength, alpha, images) > violation:
        by_weights, by_bias = gradient(x, labels, ahead, ahead_bias, images)
        moved = ahead - by_weights / lipschitz
        shrunk = np.sign(moved) * np.maximum(np.abs(moved) - strength * alpha / lipschitz, 0)
        new, new_bias = shrunk / (1 + strength * (1 - alpha) / lipschitz), ahead_bias - by_bias / lipschitz
        reached = objective(x, labels, new, new_bias, strength, alpha, images)
        if reached > best and momentum > 1:
            ahead, ahead_bias, momentum = weights, bias, 1.0
            continue
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        share = (momentum - 1) / following
        ahead, ahead_bias = new + share * (new - weights), new_bias + share * (new_bias - bias)
        weights, bias, best, momentum = new, new_bias, reached, following
    return weights, bias
