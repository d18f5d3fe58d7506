"""What the layers of one model explain of their errors: all tables of stage `sparse` but the path's."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from debugset.sparse.causes import causes_frame, score_blame
from debugset.sparse.contributions import draw_errors, explain_errors
from debugset.sparse.fitting import Measured
from debugset.sparse.layer import DecisionLayer
from debugset.sparse.mending import try_deletions
from debugset.sparse.params import SparseParams
from debugset.sparse.removals import corrected_shares, find_removals
from debugset.sparse.swaps import (
    Pairs,
    context_means,
    directed_frame,
    empty_frame,
    swap_rates,
    swaps_frame,
    usual_backgrounds,
)

REMOVALS = ("zero", "mean")  # the paper's wording first

Tables = dict[str, pd.DataFrame]


class Exchanged(NamedTuple):
    """Images of a generated world with other backgrounds, as a model sees them."""

    rows: Int64[np.ndarray, " e"]  # of the set: the images
    features: Float32[np.ndarray, "e b d"]  # of each image on each background
    contexts: list[str]  # of the b backgrounds
    empty: Float32[np.ndarray, "m d"]  # backgrounds alone
    empty_contexts: list[str]  # of these
    own_contexts: np.ndarray  # of all images of the set
    usual: Pairs  # of class and context, in the training images


def explain_errors_of(layers: Mapping[str, DecisionLayer], measured: Measured, params: SparseParams) -> Tables:
    """What corrects the errors of every layer, by either removal, and what deletions for good do.

    Returns:
        removals (of `find_removals`), removal_shares (of `corrected_shares`), both with layer and removal; deletions
        (of `try_deletions`) with layer.
    """
    parts: dict[str, list[pd.DataFrame]] = {"removals": [], "removal_shares": [], "deletions": []}
    features, labels, ids = measured
    for name, layer in layers.items():
        for removal in REMOVALS:
            found = find_removals(layer, features, labels, ids, removal=removal, random_state=params.random_state)
            shares = corrected_shares(found, params.resamples, params.random_state)
            parts["removals"].append(found.assign(layer=name, removal=removal))
            parts["removal_shares"].append(shares.assign(layer=name, removal=removal))
            if removal == REMOVALS[0]:
                deleted = try_deletions(layer, features, labels, ids, found, random_state=params.random_state)
                parts["deletions"].append(deleted.assign(layer=name))
    return {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}


def cards_frame(layer: DecisionLayer, measured: Measured, errors: pd.DataFrame, params: SparseParams) -> pd.DataFrame:
    """What cards show of random errors: a row a contribution to a logit.

    Args:
        errors: of this layer, by `find_removals`.

    Returns:
        card (from 0), image_id, label, predicted, size (of the set that corrects; 0 for none), role: ``removed`` (what
        corrects the error), ``predicted`` or ``true`` (the largest contributions to that class); rank, feature,
        weight, activation, amount.
    """
    single = -(-2 * params.cards // 3)  # two thirds, so that errors that no feature corrects are seen too
    drawn = draw_errors(errors, single, params.cards - single, params.random_state)
    explained = explain_errors(layer, measured.features, measured.ids, drawn, count=params.shown)
    rows = []
    for card, (error, size) in enumerate(zip(explained, drawn["size"].tolist(), strict=True)):
        about = {"card": card, "image_id": error.image_id, "label": error.label, "predicted": error.predicted}
        roles = {"removed": error.removed, "predicted": error.for_predicted, "true": error.for_true}
        for role, contributions in roles.items():
            for rank, contribution in enumerate(contributions):
                rows.append(about | {"size": size, "role": role, "rank": rank} | contribution._asdict())
    columns = ["card", "image_id", "label", "predicted", "size", "role", "rank"]
    return pd.DataFrame(rows, columns=[*columns, "feature", "weight", "activation", "amount"])


def planted_truth(
    layers: Mapping[str, DecisionLayer],
    measured: Measured,
    exchanged: Exchanged,
    removals: pd.DataFrame,
    params: SparseParams,
) -> Tables:
    """What exchanged backgrounds say of every layer's errors and blame.

    Args:
        removals: as `explain_errors_of` returns them.

    Returns:
        causes (of `causes_frame`), blame (of `score_blame`, with removal) and swaps (of `swap_rates`), with layer.
    """
    parts: dict[str, list[pd.DataFrame]] = {"causes": [], "blame": [], "swaps": []}
    for name, layer in layers.items():
        causes = _causes(layer, measured, exchanged)
        parts["causes"].append(causes.assign(layer=name))
        for removal in REMOVALS:
            found = removals[(removals["layer"] == name) & (removals["removal"] == removal)]
            scores = score_blame(causes, found, params.resamples, params.random_state)
            parts["blame"].append(scores.assign(layer=name, removal=removal))
        parts["swaps"].append(_swaps(layer, measured, exchanged, params).assign(layer=name))
    return {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}


def _causes(layer: DecisionLayer, measured: Measured, exchanged: Exchanged) -> pd.DataFrame:
    """Which errors among the images with exchanged backgrounds these caused."""
    features, labels = measured.features[exchanged.rows], measured.labels[exchanged.rows]
    wrong = layer.predict(features) != labels
    ids = measured.ids[exchanged.rows][wrong]
    return causes_frame(layer, ids, labels[wrong], features[wrong], exchanged.features[wrong])


def _swaps(layer: DecisionLayer, measured: Measured, exchanged: Exchanged, params: SparseParams) -> pd.DataFrame:
    """How often a swapped background flips what the layer gets right."""
    features, labels = measured.features[exchanged.rows], measured.labels[exchanged.rows]
    right = layer.predict(features) == labels
    classes, backgrounds = len(layer.bias), len(exchanged.contexts)
    flat = exchanged.features[right].reshape(-1, exchanged.features.shape[2])
    predicted = layer.predict(flat).reshape(-1, backgrounds)
    usual = usual_backgrounds(exchanged.usual, exchanged.contexts, classes)
    ids = measured.ids[exchanged.rows][right]
    swaps = swaps_frame(ids, labels[right], exchanged.contexts, predicted, usual)
    empty_usual = usual_backgrounds(exchanged.usual, exchanged.empty_contexts, classes)
    alone = empty_frame(exchanged.empty_contexts, layer.predict(exchanged.empty), empty_usual)
    means = context_means(measured.features, exchanged.own_contexts)
    directed = directed_frame(layer, swaps, means, params.top_features)
    return swap_rates(pd.concat([swaps, alone], ignore_index=True), directed, params.resamples, params.random_state)
