"""Stage sparse: decision layers that use few features, what each class rests on, and why predictions are wrong."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import chain
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Int64, UInt8

from debugset.base.command import run
from debugset.base.files import replacing_folder, write_parquet
from debugset.base.params import ParamsError, load, read
from debugset.base.paths import DIAGNOSIS, MODELS, PARAMS_FILE, SETS, SPARSE, TEST, TRAIN
from debugset.datasets.contexts import frequent_contexts
from debugset.datasets.fashion import FashionParams, draw_recipes_again
from debugset.datasets.fashion_mnist import read_garments, read_photographs
from debugset.datasets.recipes import check_recipes, empty_backgrounds, exchange_backgrounds, render_all
from debugset.datasets.sections import check_section
from debugset.features.store import open_features
from debugset.images.sets import ImageSet, open_set
from debugset.models.classifier import Classifier, load_model
from debugset.models.device import device
from debugset.models.inference import prepare_for_inference
from debugset.models.outputs import outputs_of_pixels
from debugset.models.params import EmbedParams, Precision
from debugset.models.registry import Architecture
from debugset.sparse.analysis import REMOVALS, Exchanged, Tables, cards_frame, explain_errors_of, planted_truth
from debugset.sparse.class_features import class_features
from debugset.sparse.fitting import SPARSE_LAYER, Measured, fit_model
from debugset.sparse.layer import DecisionLayer
from debugset.sparse.params import SparseParams
from debugset.sparse.patches import PatchTrial, paste_patches, patch_summary
from debugset.sparse.pictures import class_feature_pictures
from debugset.sparse.tables import layer_tables
from debugset.visuals.feature_pictures import Embedder
from debugset.visuals.params import VisualsParams

_EMPTY_BACKGROUNDS = 100  # crops of each context without a garment


class Backgrounds(NamedTuple):
    """Images of `diagnosis` drawn again on other backgrounds."""

    rows: Int64[np.ndarray, " e"]  # the images
    pixels: UInt8[np.ndarray, "m h w 3"]  # each image on all backgrounds, one image after the other
    contexts: list[str]  # of the backgrounds
    empty: UInt8[np.ndarray, "c h w 3"]  # backgrounds alone
    empty_contexts: list[str]
    usual: set[tuple[int, str]]  # pairs of class and context in the training images


def main() -> None:
    """Fit the layers of every model and explain their errors; picture the features of the first."""
    params, precision = load("sparse", SparseParams), load("embed", EmbedParams).precision
    sets = {name: open_set(SETS / name) for name in (TRAIN, TEST, DIAGNOSIS)}
    prepare = check_section(read(), "prepare")
    if params.rendered and not isinstance(prepare, FashionParams):
        raise ParamsError(f"{PARAMS_FILE}: `sparse.rendered`: {prepare.source} can't be drawn again; say []")
    backgrounds = _draw_backgrounds(prepare, sets, params) if params.rendered else None
    parts: dict[str, list[pd.DataFrame]] = defaultdict(list)
    for model in params.models:
        measured = {name: Measured(open_features(model, one), one.labels, one.ids) for name, one in sets.items()}
        classifier, description = load_model(MODELS / model)
        own = classifier if description.classes == sets[TRAIN].classes else None
        fitted = fit_model(measured, len(sets[TRAIN].classes), own, params)
        tables = fitted.tables | layer_tables(fitted.layers)
        tables |= explain_errors_of(fitted.layers, measured[DIAGNOSIS], params)
        if backgrounds is not None and model in params.rendered:
            exchanged = _look_at(backgrounds, classifier, description.architecture, sets[DIAGNOSIS], precision)
            tables |= planted_truth(fitted.layers, measured[DIAGNOSIS], exchanged, tables["removals"], params)
        if model == params.models[0]:
            embedder = Embedder(classifier.to(device()), description.architecture, measured[DIAGNOSIS].features)
            tables |= _show(fitted.layers, embedder, sets[DIAGNOSIS], tables["removals"], params, precision)
        for name, table in tables.items():
            parts[name].append(table.assign(model=model))
    with replacing_folder(SPARSE) as folder:
        for name, found in parts.items():
            write_parquet(folder / f"{name}.parquet", pd.concat(found, ignore_index=True))
    _tell(parts)


def _draw_backgrounds(prepare: FashionParams, sets: dict[str, ImageSet], params: SparseParams) -> Backgrounds:
    """Draw images of `diagnosis` again, each garment on new crops of every context."""
    images, photographs = sets[DIAGNOSIS], read_photographs()
    recipes = draw_recipes_again(DIAGNOSIS, prepare, *read_garments(), photographs)
    check_recipes(recipes, images, photographs)
    rng = np.random.default_rng(params.random_state)
    rows = np.sort(rng.choice(len(images), min(params.swapped, len(images)), replace=False))
    exchanged = exchange_backgrounds(recipes, photographs, params.crops, params.random_state)
    chosen = list(chain.from_iterable(exchanged[row] for row in rows.tolist()))
    empty = empty_backgrounds(photographs, _EMPTY_BACKGROUNDS, params.random_state)
    train = sets[TRAIN]
    return Backgrounds(
        rows,
        render_all(chosen, photographs),
        [recipe.context for recipe in exchanged[0]],
        render_all(empty, photographs),
        [recipe.context for recipe in empty],
        frequent_contexts(train.labels, train.manifest["context"].to_numpy(object)),
    )


def _look_at(
    backgrounds: Backgrounds, classifier: Classifier, architecture: Architecture, images: ImageSet, precision: Precision
) -> Exchanged:
    """What a model sees of them."""
    forward = prepare_for_inference(classifier).features
    features = outputs_of_pixels(forward, backgrounds.pixels, architecture, precision)
    return Exchanged(
        backgrounds.rows,
        features.reshape(len(backgrounds.rows), len(backgrounds.contexts), -1),
        backgrounds.contexts,
        outputs_of_pixels(forward, backgrounds.empty, architecture, precision),
        backgrounds.empty_contexts,
        images.manifest["context"].to_numpy(object),
        backgrounds.usual,
    )


def _show(
    layers: Mapping[str, DecisionLayer],
    embedder: Embedder,
    images: ImageSet,
    removals: pd.DataFrame,
    params: SparseParams,
    precision: Precision,
) -> Tables:
    """Cards of errors, pictures of features, and what pasted patches flip."""
    sparse, measured = layers[SPARSE_LAYER], Measured(embedder.features, images.labels, images.ids)
    errors = removals[(removals["layer"] == SPARSE_LAYER) & (removals["removal"] == REMOVALS[0])]
    cards = cards_frame(sparse, measured, errors, params)
    listed = class_features(sparse, params.shown)
    listed = pd.concat([listed, cards[cards["role"] == "removed"]])
    trial = PatchTrial(params.patch_side, params.top_features, params.patch_victims, params.random_state)
    patches = []
    for name, layer in layers.items():
        tries = paste_patches(layer, embedder, images, layer.predict(embedder.features), precision, trial)
        patches.append(patch_summary(tries, params.resamples, params.random_state).assign(layer=name))
    return {
        "cards": cards,
        "pictures": class_feature_pictures(listed, embedder, images, load("visuals", VisualsParams)),
        "patches": pd.concat(patches, ignore_index=True),
    }


def _tell(parts: Mapping[str, list[pd.DataFrame]]) -> None:
    """Print what the chosen layers cost and what removal corrects."""
    for layers, shares in zip(parts["layers"], parts["removal_shares"], strict=True):
        chosen = layers[layers["layer"] == SPARSE_LAYER].iloc[0]
        one = shares[(shares["layer"] == SPARSE_LAYER) & (shares["removed"] == 1)].iloc[0]
        features, right, corrected = chosen["features"], chosen["test"], one["share"]
        print(f"sparse: {chosen['model']}: {features:.1f} features a class, {right:.1%} of test right;", end=" ")
        print(f"one feature corrects {corrected:.1%} of {one['errors']:,} errors, a random one {one['chance']:.1%}")


if __name__ == "__main__":
    run(main)
