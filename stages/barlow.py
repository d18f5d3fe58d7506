"""Stage barlow: failure modes of the original model, what they look like, and how well rules explain failures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from debugset.barlow.groups import discovery_half
from debugset.barlow.heldout import usual_contexts
from debugset.barlow.params import BarlowParams
from debugset.barlow.pictures import PICTURE_COLUMNS, Embedder, mode_pictures
from debugset.barlow.pixels import pixel_statistics
from debugset.barlow.study import (
    Study,
    explain,
    groups_frame,
    members_frame,
    modes_frame,
    nodes_frame,
    planted_frame,
    read_rule,
)
from debugset.base.command import run
from debugset.base.files import replacing_folder, write_parquet
from debugset.base.params import load
from debugset.base.paths import BARLOW, DIAGNOSIS, ERRORS, MODELS, SETS, TRAIN
from debugset.base.progress import progress
from debugset.features.matrix import Matrix
from debugset.features.store import open_features
from debugset.images.sets import ImageSet, open_set
from debugset.models.classifier import describe
from debugset.models.classifier import load as load_model
from debugset.models.device import device
from debugset.models.inference import prepare_for_inference
from debugset.models.outputs import predict
from debugset.models.params import EmbedParams


def main() -> None:
    """Explain the failures of the original and of the robust model; picture the original's failure modes."""
    params, embed = load("barlow", BarlowParams), load("embed", EmbedParams)
    images = open_set(SETS / DIAGNOSIS)
    found = [(study, explain(study)) for study in _studies(images, params, embed)]
    first, explained = found[0]
    modes = modes_frame(first, explained)
    members = members_frame(first, modes, images.ids)
    tables = {
        "groups": pd.concat([groups_frame(*one) for one in found], ignore_index=True),
        "nodes": pd.concat([nodes_frame(*one) for one in found], ignore_index=True),
        "modes": modes,
        "members": members,
        "pictures": _pictures(modes, members, images, first, params),
    }
    if "context" in images.manifest:
        truth = (_contexts(images), _usual())
        frames = [planted_frame(*one, *truth) for one in found if one[0].analysed == "original"]
        tables["planted"] = pd.concat(frames, ignore_index=True)
    with replacing_folder(BARLOW) as folder:
        for name, table in tables.items():
            write_parquet(folder / f"{name}.parquet", table)
    print(f"barlow: {len(modes)} failure modes, {int(modes['holds'].sum())} of them hold on the held-out half")


def _studies(images: ImageSet, params: BarlowParams, embed: EmbedParams) -> Iterator[Study]:
    """The original model by every kind of features, those of the modes first; then the robust model by the latter."""
    discovery = discovery_half(images.labels, params.discovery, params.random_state)
    predicted = {"original": _original(images), "robust": _robust(images, embed)}
    for analysed, source in [*(("original", source) for source in params.features), ("robust", params.features[0])]:
        features = _features(source, images)
        yield Study(analysed, source, features, images.labels, predicted[analysed], discovery, images.classes, params)


def _features(source: str, images: ImageSet) -> Matrix:
    if source != "pixels":
        return open_features(source, images)
    return pixel_statistics(images, describe(MODELS / "original").architecture)


def _original(images: ImageSet) -> np.ndarray:
    """The original model's predictions, which stage errors has made."""
    path = ERRORS / "predictions.parquet"
    table = pd.read_parquet(path)
    table = table[(table["model"] == "original") & (table["set"] == images.folder.name)].set_index("image_id")
    if not table.index.isin(images.ids).all() or len(table) != len(images):
        raise ValueError(f"{path}: belongs to other images; run stage errors again")
    return table["predicted"].reindex(images.ids).to_numpy(np.int64)


def _robust(images: ImageSet, embed: EmbedParams) -> np.ndarray:
    classifier, description = load_model(MODELS / "robust")
    if len(description.classes) != len(images.classes):
        raise ValueError(
            MODELS
            / f"robust: tells {len(description.classes)} classes apart, but diagnosis has {len(images.classes)}; "
            "name a robust model trained on the same classes"
        )
    rows = np.arange(len(images))
    return predict(prepare_for_inference(classifier), description, images, rows, embed.precision)


def _contexts(images: ImageSet) -> np.ndarray:
    return images.manifest["context"].to_numpy(object)


def _usual() -> set[tuple[int, str]]:
    train = open_set(SETS / TRAIN)
    return usual_contexts(train.labels, _contexts(train))


def _pictures(
    modes: pd.DataFrame, members: pd.DataFrame, images: ImageSet, study: Study, params: BarlowParams
) -> pd.DataFrame:
    """The pictures of the most important modes; none of rules on pixels."""
    shown = modes.head(params.cards if study.source != "pixels" else 0)
    if shown.empty:
        return pd.DataFrame(columns=PICTURE_COLUMNS)
    classifier, description = load_model(Path("models") / study.source)
    embedder = Embedder(classifier.to(device()), description.architecture, study.features)
    found = []
    for name, rule in progress(list(zip(shown["mode"], shown["rule"], strict=True)), "barlow: pictures", unit=" modes"):
        mine = members[(members["mode"] == name) & (members["half"] == "discovery")]
        group, wrong = images.rows_of(mine["image_id"]), (mine["inside"] & mine["failed"]).to_numpy(bool)
        found.append(mode_pictures(name, read_rule(rule), embedder, images, group, group[wrong], params))
    return pd.concat(found, ignore_index=True)


if __name__ == "__main__":
    run(main)
