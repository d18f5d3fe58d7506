"""The pictures of failure modes: what their features look at, and failures that their rules hold for."""

from collections.abc import Iterator
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

SHOWN = 6  # images of each kind: a row of a card
NO_FEATURE = -1
PICTURE_COLUMNS = ["mode", "kind", "feature", "rank", "image_id", "value", "png"]


class Embedder(NamedTuple):
    """A model with its features of an image set, and how it is fed."""

    classifier: Classifier
    architecture: Architecture
    features: Matrix


class Strip(NamedTuple):
    """Pictures of one kind.

    Attributes:
        kind: activating, heatmap, gradient, attack or failure.
        pixels: in [0, 1].
        values: the feature's, where it applies.
    """

    kind: str
    pixels: Float[Tensor, "b 3 h w"]
    values: Float[Tensor, " b"] | None = None


def pictures_frame(
    modes: pd.DataFrame, members: pd.DataFrame, embedder: Embedder, images: ImageSet, params: BarlowParams
) -> pd.DataFrame:
    """The pictures of all modes, by `mode_pictures`; groups and failures are those of the discovery half.

    Args:
        modes: rows of the modes' table.
        members: the images of their groups.
        embedder: whose features the rules speak of.
        images: the image set.
        params: the attack's, and the random state of the draw.
    """
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
        rule: its conditions; each feature in them is shown.
        embedder: whose features the rule speaks of.
        images: the image set.
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
        top = group[np.argsort(-values, kind="stable")[:SHOWN]]
        for strip in _feature_strips(feature, embedder, images, top, params):
            rows += _picture_rows(strip, feature, images.ids[top])
    rng = np.random.default_rng([params.random_state, *mode.encode()])  # the same images whatever modes there are
    drawn = np.sort(rng.choice(failures, min(SHOWN, len(failures)), replace=False))
    rows += _picture_rows(Strip("failure", _pixels(images, drawn, embedder)), NO_FEATURE, images.ids[drawn])
    return pd.DataFrame(rows).assign(mode=mode)[PICTURE_COLUMNS]


def _feature_strips(
    feature: int, embedder: Embedder, images: ImageSet, rows: np.ndarray, params: BarlowParams
) -> Iterator[Strip]:
    classifier = embedder.classifier
    pixels = _pixels(images, rows, embedder).to(device())
    attack = feature_attack(
        classifier, pixels, feature, radius=params.attack_radius, step=params.attack_step, steps=params.attack_steps
    )
    yield Strip("activating", pixels, attack.before)
    side = 0
    if has_maps(classifier, pixels):
        heat, side = feature_maps(classifier, pixels, feature)
        yield Strip("heatmap", overlay(pixels, heat))
    if side < SMALL:
        yield Strip("gradient", overlay(pixels, pixel_gradients(classifier, pixels, feature)))
    yield Strip("attack", attack.pixels, attack.after)


def _pixels(images: ImageSet, rows: np.ndarray, embedder: Embedder) -> Tensor:
    return torch.cat(list(pixel_batches(images, rows, embedder.architecture, len(rows))))


def _picture_rows(strip: Strip, feature: int, ids: np.ndarray) -> list[dict[str, Any]]:
    rows = []
    for rank, png in enumerate(png_files(strip.pixels, optimize=True)):
        value = float("nan") if strip.values is None else float(strip.values[rank])
        rows.append(
            {"kind": strip.kind, "feature": feature, "rank": rank, "image_id": ids[rank], "value": value, "png": png}
        )
    return rows
