"""Pictures of the features that classes rest on."""

import numpy as np
import pandas as pd

from debugset.base.progress import progress
from debugset.images.sets import ImageSet
from debugset.visuals.feature_pictures import PICTURE_COLUMNS, Embedder, feature_pictures, strongest_rows
from debugset.visuals.params import VisualsParams

_FEATURES_AT_A_TIME = 8  # a larger batch is faster; memory grows with it


def class_feature_pictures(
    listed: pd.DataFrame, embedder: Embedder, images: ImageSet, visuals: VisualsParams
) -> pd.DataFrame:
    """The pictures of each feature that `class_features` lists, once however many classes use it.

    Of all images of the set, those that activate a feature most are shown.

    Returns:
        The columns of `debugset.visuals.feature_pictures.feature_pictures`, by ascending feature.

    Raises:
        ValueError: the embedder's features are those of another set, or lack a listed one.
    """
    if len(embedder.features) != len(images):
        raise ValueError(
            f"embedder: has the features of {len(embedder.features)} images, but {images.folder} has {len(images)}; "
            "pass those of this set"
        )
    features = np.unique(listed["feature"].to_numpy(np.int64))
    strongest = strongest_rows(embedder.features, features, np.arange(len(images)))
    parts = []
    with progress(total=len(features), what="sparse: pictures", unit=" features") as bar:
        for start in range(0, len(features), _FEATURES_AT_A_TIME):
            some = slice(start, start + _FEATURES_AT_A_TIME)
            parts.append(feature_pictures(features[some].tolist(), embedder, images, strongest[some], visuals))
            bar.update(len(features[some]))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=PICTURE_COLUMNS)
