"""The pictures of failure modes: what their features look at, and failures that their rules hold for."""

import numpy as np
import pandas as pd
from jaxtyping import Int64

from debugset.barlow.tree import Rule, read_rule
from debugset.base.progress import progress
from debugset.images.sets import ImageSet
from debugset.visuals.feature_pictures import (
    PICTURE_COLUMNS,
    SHOWN,
    Embedder,
    feature_pictures,
    input_pixels,
    picture_rows,
    strongest_rows,
)
from debugset.visuals.params import VisualsParams

_NO_FEATURE = -1
MODE_PICTURE_COLUMNS = ["mode", *PICTURE_COLUMNS]


def pictures_frame(
    modes: pd.DataFrame,
    members: pd.DataFrame,
    embedder: Embedder,
    images: ImageSet,
    visuals: VisualsParams,
    random_state: int,
) -> pd.DataFrame:
    """The pictures of all modes, by `mode_pictures`; groups and failures are those of the discovery half."""
    discovery = members[members["half"] == "discovery"]
    parts = []
    for mode in progress(modes.to_dict("records"), "barlow: pictures", unit=" modes"):
        mine = discovery[discovery["mode"] == mode["mode"]]
        group = images.rows_of(mine["image_id"])
        failures = group[(mine["inside"] & mine["failed"]).to_numpy(bool)]
        name, rule = mode["mode"], read_rule(mode["rule"])
        parts.append(mode_pictures(name, rule, embedder, images, group, failures, visuals, random_state))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=MODE_PICTURE_COLUMNS)


def mode_pictures(
    mode: str,
    rule: Rule,
    embedder: Embedder,
    images: ImageSet,
    group: Int64[np.ndarray, " g"],
    failures: Int64[np.ndarray, " f"],
    visuals: VisualsParams,
    random_state: int,
) -> pd.DataFrame:
    """All pictures of a mode.

    Args:
        mode: its name.
        rule: each feature in its conditions is shown.
        embedder: whose features the rule speaks of.
        group: rows of the mode's group, of which the six that activate a feature most are shown.
        failures: rows of failures that the rule holds for, of which six are drawn.
        visuals: the attack's.
        random_state: of the draw.

    Returns:
        mode, kind (activating, heatmap, gradient, attack or failure), feature (-1 for failures), rank, image_id,
        value (the feature's; NaN where it does not apply), png.
    """
    features = list(dict.fromkeys(feature for feature, _, _ in rule))
    strongest = strongest_rows(embedder.features, features, group)
    parts = [
        feature_pictures(feature, embedder, images, rows, visuals)
        for feature, rows in zip(features, strongest, strict=True)
    ]
    rng = np.random.default_rng([random_state, *mode.encode()])  # the same images whatever modes there are
    drawn = np.sort(rng.choice(failures, min(SHOWN, len(failures)), replace=False))
    pixels = input_pixels(images, drawn, embedder.architecture)
    parts.append(pd.DataFrame(picture_rows("failure", _NO_FEATURE, images.ids[drawn], pixels)))
    return pd.concat(parts, ignore_index=True).assign(mode=mode)[MODE_PICTURE_COLUMNS]
