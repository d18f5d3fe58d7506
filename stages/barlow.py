"""Stage barlow: failure modes of the original model, what they look like, and how well rules explain failures."""

from itertools import chain

import pandas as pd

from debugset.barlow.analysis import ORIGINAL, ROBUST, Analysis, analyses_of, explain
from debugset.barlow.params import BarlowParams
from debugset.barlow.pictures import MODE_PICTURE_COLUMNS, pictures_frame
from debugset.barlow.pixels import pixel_statistics
from debugset.barlow.planted import frequent_contexts
from debugset.barlow.predictions import new_predictions, stored_predictions
from debugset.barlow.tables import (
    groups_frame,
    members_frame,
    modes_frame,
    nodes_frame,
    planted_frame,
    why_no_modes,
)
from debugset.base.command import run
from debugset.base.files import replacing_folder, write_parquet
from debugset.base.params import load
from debugset.base.paths import BARLOW, DIAGNOSIS, ERRORS, MODELS, SETS, TRAIN
from debugset.features.matrix import Matrix
from debugset.features.store import open_features
from debugset.images.sets import ImageSet, open_set
from debugset.models.classifier import load_model, read_description
from debugset.models.device import device
from debugset.models.params import EmbedParams
from debugset.visuals.feature_pictures import Embedder
from debugset.visuals.params import VisualsParams


def main() -> None:
    """Explain the failures of the original and of the robust model; picture the original's failure modes."""
    params, embed = load("barlow", BarlowParams), load("embed", EmbedParams)
    visuals = load("visuals", VisualsParams)
    images = open_set(SETS / DIAGNOSIS)
    predicted = {
        ORIGINAL: stored_predictions(ERRORS / "predictions.parquet", ORIGINAL, images),
        ROBUST: new_predictions(MODELS / ROBUST, images, embed.precision),
    }
    features: dict[str, Matrix] = {source: _features(source, images) for source in params.features}
    analyses = analyses_of(images.labels, images.classes, predicted, features, params)
    by_analysis = [explain(analysis) for analysis in analyses]
    explanations = list(chain.from_iterable(by_analysis))
    modes = modes_frame(by_analysis[0])
    members = members_frame(analyses[0], modes, images.ids)
    tables = {
        "groups": groups_frame(explanations),
        "nodes": nodes_frame(explanations),
        "modes": modes,
        "members": members,
        "pictures": _pictures(modes, members, analyses[0], images, visuals),
    }
    if "context" in images.manifest:  # the image set of a generated world
        train = open_set(SETS / TRAIN)
        frequent = frequent_contexts(train.labels, train.manifest["context"].to_numpy(object))
        of_original = [one for one in explanations if one.analysis.model == ORIGINAL]
        tables["planted"] = planted_frame(of_original, images.manifest["context"].to_numpy(object), frequent)
    with replacing_folder(BARLOW) as folder:
        for name, table in tables.items():
            write_parquet(folder / f"{name}.parquet", table)
    print(f"barlow: {len(modes)} failure modes, {int(modes['holds'].sum())} of them hold on the held-out half")
    if modes.empty:
        print(f"barlow: {why_no_modes(by_analysis[0])}")


def _features(source: str, images: ImageSet) -> Matrix:
    if source == "pixels":
        return pixel_statistics(images, read_description(MODELS / ORIGINAL).architecture)
    return open_features(source, images)


def _pictures(
    modes: pd.DataFrame, members: pd.DataFrame, analysis: Analysis, images: ImageSet, visuals: VisualsParams
) -> pd.DataFrame:
    """The pictures of the most important modes; none of rules on pixels, which no model looks at."""
    if analysis.source == "pixels":
        return pd.DataFrame(columns=MODE_PICTURE_COLUMNS)
    classifier, description = load_model(MODELS / analysis.source)
    embedder = Embedder(classifier.to(device()), description.architecture, analysis.features)
    shown = modes.head(analysis.params.cards)
    return pictures_frame(shown, members, embedder, images, visuals, analysis.params.random_state)


if __name__ == "__main__":
    run(main)
