"""Stage barlow: failure modes of the original model, what they look like, and how well rules explain failures."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from debugset.barlow.groups import discovery_half
from debugset.barlow.params import BarlowParams
from debugset.barlow.pictures import Embedder, mode_pictures
from debugset.barlow.pixels import pixel_statistics
from debugset.barlow.planted import usual_contexts
from debugset.barlow.study import (
    Study, explain, groups_frame, members_frame, modes_frame, nodes_frame, planted_frame, read_rule,
)  # fmt: skip
from debugset.command import run
from debugset.feature_files import open_features
from debugset.files import replacing_folder, write_parquet
from debugset.images.sets import ImageSet, open_set
from debugset.models.classifier import describe
from debugset.models.classifier import load as load_model
from debugset.models.device import device
from debugset.models.features import predictions
from debugset.models.params import EmbedParams
from debugset.neighbours import Matrix
from debugset.params import load

TABLES = {"groups": groups_frame, "nodes": nodes_frame}


def main() -> None:
    """Explain the failures of the original and of the robust model; picture the original's failure modes."""
    params, embed = load("barlow", BarlowParams), load("embed", EmbedParams)
    images = open_set("data/sets/deployment")
    features = {source: _features(source, images, embed) for source in params.features}
    predicted = {"original": _original(images), "robust": _robust(images, embed)}
    discovery = discovery_half(images.labels, params.discovery, params.random_state)
    main_source = params.features[0]
    pairs = [("original", source) for source in params.features] + [("robust", main_source)]
    tables: dict[str, list[pd.DataFrame]] = {"groups": [], "nodes": [], "planted": []}
    with replacing_folder(Path("data/barlow")) as folder:
        for analysed, source in pairs:
            study = Study(
                analysed,
                source,
                features[source],
                images.labels,
                predicted[analysed],
                discovery,
                images.classes,
                params,
            )
            explained = explain(study)
            for name, frame in TABLES.items():
                tables[name].append(frame(study, explained))
            if "context" in images.manifest and analysed == "original":
                tables["planted"].append(planted_frame(study, explained, _contexts(images), _usual()))
            if (analysed, source) == pairs[0]:
                modes = modes_frame(study, explained)
                members = members_frame(study, modes, images.ids)
        for name, frames in tables.items():
            if frames:
                write_parquet(folder / f"{name}.parquet", pd.concat(frames, ignore_index=True))
        write_parquet(folder / "modes.parquet", modes)
        write_parquet(folder / "members.parquet", members)
        pictures = _pictures(modes, members, images, main_source, features[main_source], params)
        write_parquet(folder / "pictures.parquet", pictures)
    print(f"barlow: {len(modes)} failure modes, {int(modes['holds'].sum())} of them hold on the held-out half")


def _features(source: str, images: ImageSet, embed: EmbedParams) -> Matrix:
    if source != "pixels":
        return open_features(source, images)
    return pixel_statistics(images, describe(Path("models/standard")).architecture, embed.batch)


def _original(images: ImageSet) -> np.ndarray:
    """The original model's predictions, which stage errors has made."""
    table = pd.read_parquet("data/errors/predictions.parquet")
    table = table[(table["model"] == "original") & (table["set"] == images.folder.name)].set_index("image_id")
    if not table.index.isin(images.ids).all() or len(table) != len(images):
        raise ValueError("data/errors/predictions.parquet: belongs to other images; run stage errors again")
    return table["predicted"].reindex(images.ids).to_numpy(np.int64)


def _robust(images: ImageSet, embed: EmbedParams) -> np.ndarray:
    classifier, description = load_model(Path("models/robust"))
    rows = np.arange(len(images))
    return predictions(classifier, description, images, rows, batch=embed.batch, precision=embed.precision)


def _contexts(images: ImageSet) -> np.ndarray:
    return images.manifest["context"].to_numpy(object)


def _usual() -> set[tuple[int, str]]:
    train = open_set("data/sets/train")
    return usual_contexts(train.labels, _contexts(train))


def _pictures(
    modes: pd.DataFrame, members: pd.DataFrame, images: ImageSet, source: str, features: Matrix, params: BarlowParams
) -> pd.DataFrame:
    """The pictures of the most important modes; none of rules on pixels."""
    columns = ["mode", "kind", "feature", "rank", "image_id", "value", "png"]
    shown = modes.head(params.cards if source != "pixels" else 0)
    found = [pd.DataFrame(columns=columns)]
    if len(shown):
        classifier, description = load_model(Path("models") / source)
        embedder = Embedder(classifier.to(device()), description.architecture, features)
    for name, rule in tqdm(list(zip(shown["mode"], shown["rule"], strict=True)), "barlow: pictures", unit=" modes"):
        mine = members[(members["mode"] == name) & (members["half"] == "discovery")]
        failures = mine.loc[mine["inside"] & mine["failed"], "image_id"]
        rows = (images.rows_of(ids) for ids in (mine["image_id"], failures))
        found.append(mode_pictures(name, read_rule(rule), embedder, images, *rows, params)[columns])
    return pd.concat(found, ignore_index=True)


if __name__ == "__main__":
    run(main)
