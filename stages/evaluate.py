"""Stage evaluate: every variant's predictions, its accuracy on every set, and what each class gained."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from debugset.base.command import run
from debugset.base.files import read_json, read_parquet, replacing_folder, write_parquet
from debugset.base.params import load
from debugset.base.paths import ADDED, DEVAL, ERRORS, EVALUATED, EVALUATION, MODELS, PICKS, POOL, SETS, VARIANTS
from debugset.base.progress import progress
from debugset.dcd import variants
from debugset.dcd.accuracy import BootstrapParams, evaluation_tables
from debugset.dcd.failures import ORIGINAL, PREDICTION_COLUMNS, ErrorsParams, class_indices
from debugset.images.sets import open_set
from debugset.models.classifier import load_model
from debugset.models.inference import prepare_for_inference
from debugset.models.outputs import predict_table
from debugset.models.params import EmbedParams
from debugset.training.recipe import TrainParams


def main() -> None:
    """Predict with every variant, measure it, and write both."""
    params, embed, errors = load("evaluate", BootstrapParams), load("embed", EmbedParams), load("errors", ErrorsParams)
    classes = open_set(SETS / EVALUATED[0]).classes
    random_states = load("train", TrainParams).random_states
    earlier = read_parquet(ERRORS / "predictions.parquet")  # others than the original are no rows here
    frames = [earlier[earlier["model"] == ORIGINAL], *predictions_of_variants(embed, random_states)]
    predictions = pd.concat(frames, ignore_index=True)[PREDICTION_COLUMNS]
    failures = read_parquet(ERRORS / "failures.parquet")
    added = {variant: _added(variant, classes) for variant in variants.VARIANTS}
    debugged = class_indices(errors.classes, classes).tolist()
    tables = evaluation_tables(predictions, failures, debugged, added, params)
    with replacing_folder(EVALUATION) as folder:
        write_parquet(folder / "predictions.parquet", predictions)
        for name, table in tables.items():
            write_parquet(folder / f"{name}.parquet", table)


def predictions_of_variants(embed: EmbedParams, random_states: list[int]) -> Iterator[pd.DataFrame]:
    """What every run says of every set and of de-val, and what the original says of de-val."""
    sets = []
    for name in EVALUATED:
        images = open_set(SETS / name)
        sets.append((name, images, np.arange(len(images)), images.labels))
    pool, picks = open_set(POOL), read_parquet(PICKS / f"{DEVAL}.parquet")
    deval = (DEVAL, pool, pool.rows_of(picks["image_id"]), picks["class"].to_numpy(np.int64))  # the weak label
    jobs = [(ORIGINAL, 0, MODELS / ORIGINAL, [deval])]
    for variant in variants.VARIANTS:
        for random_state in random_states:
            jobs.append((variant, random_state, VARIANTS / variant / str(random_state), [*sets, deval]))
    for model, random_state, folder, predicted in progress(jobs, "evaluate", unit=" models"):
        classifier, description = load_model(folder)
        classifier = prepare_for_inference(classifier)
        for name, images, rows, labels in predicted:
            frame = predict_table(classifier, description, images, rows, embed.precision)
            yield frame.assign(label=labels, model=model, random_state=random_state, set=name)


def _added(variant: str, classes: tuple[str, ...]) -> dict[int, int]:
    """How many images a variant adds to each class."""
    counts = read_json(ADDED / f"{variant}.json")["by_class"]
    return {classes.index(name): count for name, count in counts.items()}


if __name__ == "__main__":
    run(main)
