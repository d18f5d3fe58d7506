"""The pictures of failure modes: what their features look at, and failures that their rules hold for."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from debugset.barlow.feature_attack import feature_attack
from debugset.barlow.heatmaps import SMALL, feature_maps, has_maps, overlay, pixel_gradients
from debugset.barlow.params import BarlowParams
from debugset.barlow.tree import Rule, read_rule
from debugset.base.progress import progress
from debugset.features.matrix import Matrix
from debugset.images.sets import ImageSet
from debugset.models.classifier import Classifier
from debugset.models.device import device
from debugset.models.outputs import pixel_batches, png_files
from debugset.models.registry import Architecture

_SHOWN = 6  # images of each kind: a row of a card
_NO_FEATURE = -1
PICTURE_COLUMNS = ["mode", "kind", "feature", "rank", "image_id", "value", "png"]


class Embedder(NamedTuple):
    """A model with its features of an image set, and how it is fed."""

    classifier: Classifier
    architecture: Architecture
    features: Matrix


def pictures_frame(
    modes: pd.DataFrame, members: pd.DataFrame, embedder: Embedder, images: ImageSet, params: BarlowParams
) -> pd.DataFrame:
    """The pictures of all modes, by `mode_pictures`; groups and failures are those of the discovery half."""
    discovery = members[members["half"] == "discovery"]
    parts = []
    for mode in progress(modes.to_dict("records"), "barlow: pictures", unit=" modes"):
        mine = discovery[discovery["mode"] == mode["mode"]]
        group = images.rows_of(mine["image_id"])
        failures = group[(mine["inside"] & mine["failed"]).to_numpy(bool)]
        parts.append(mode_pictures(mode["mode"], read_rule(mode["rule"]), embedder, images, group, failures, params))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=PICTURE_COLUMNS)


def mode_pictures(
    mode: str,
    rule: Rule,
    embedder: Embedder,
    images: ImageSet,
    group: Int64[np.ndarray, " g"],
    failures: Int64[np.ndarray, " f"],
    params: BarlowParams,
) -> pd.DataFrame:
    """All pictures of a mode.

    Args:
        mode: its name.
        rule: each feature in its conditions is shown.
        embedder: whose features the rule speaks of.
        group: rows of the mode's group, of which the six that activate a feature most are shown.
        failures: rows of failures that the rule holds for, of which six are drawn.
        params: the attack's, and the random state of the draw.

    Returns:
        mode, kind (activating, heatmap, gradient, attack or failure), feature (-1 for failures), rank, image_id,
        value (the feature's; NaN where it does not apply), png.
    """
    rows: list[dict[str, Any]] = []
    for feature in dict.fromkeys(feature for feature, _, _ in rule):
        values = np.asarray(embedder.features[group])[:, feature]
        top = group[np.argsort(-values, kind="stable")[:_SHOWN]]
        rows += _feature_rows(feature, embedder, images, top, params)
    rng = np.random.default_rng([params.random_state, *mode.encode()])  # the same images whatever modes there are
    drawn = np.sort(rng.choice(failures, min(_SHOWN, len(failures)), replace=False))
    rows += _rows("failure", _NO_FEATURE, images.ids[drawn], _pixels(images, drawn, embedder))
    return pd.DataFrame(rows).assign(mode=mode)[PICTURE_COLUMNS]


def _feature_rows(
    feature: int, embedder: Embedder, images: ImageSet, top: np.ndarray, params: BarlowParams
) -> list[dict[str, Any]]:
    """The images that activate a feature most, where it looks at them, and what they become when it is raised."""
    classifier, ids = embedder.classifier, images.ids[top]
    pixels = _pixels(images, top, embedder).to(device())
    attack = feature_attack(
        classifier, pixels, feature, radius=params.attack_radius, step=params.attack_step, steps=params.attack_steps
    )
    rows = _rows("activating", feature, ids, pixels, attack.before)
    side = 0
    if has_maps(classifier, pixels):
        heat, side = feature_maps(classifier, pixels, feature)
        rows += _rows("heatmap", feature, ids, overlay(pixels, heat))
    if side < SMALL:
        rows += _rows("gradient", feature, ids, overlay(pixels, pixel_gradients(classifier, pixels, feature)))
    return rows + _rows("attack", feature, ids, attack.pixels, attack.after)


def _pixels(images: ImageSet, rows: np.ndarray, embedder: Embedder) -> Tensor:
    return torch.cat(list(pixel_batches(images, rows, embedder.architecture, len(rows))))


def _rows(
    kind: str, feature: int, ids: np.ndarray, pixels: Float[Tensor, "b 3 h w"], values: Tensor | None = None
) -> list[dict[str, Any]]:
    """A row a picture of one kind; ``values`` are the feature's, where it applies."""
    rows = []
    for rank, png in enumerate(png_files(pixels, optimize=True)):
        value = float("nan") if values is None else float(values[rank])
        rows.append({"kind": kind, "feature": feature, "rank": rank, "image_id": ids[rank], "value": value, "png": png})
    return rows
