"""Stage errors: predictions of the original model (and others), and its failures: seed, held-out, mended modes."""

import numpy as np
import pandas as pd

from debugset.base.command import run
from debugset.base.files import write_parquet
from debugset.base.params import load
from debugset.base.paths import ERRORS, EVALUATED, MENDED_MODES, MODELS, SETS
from debugset.dcd.failures import (
    ORIGINAL,
    PREDICTION_COLUMNS,
    ErrorsParams,
    check_something_to_collect,
    failures_frame,
    gaps,
    read_modes,
)
from debugset.images.sets import open_set
from debugset.models.classifier import Classifier, Description, load_model
from debugset.models.inference import prepare_for_inference
from debugset.models.outputs import predict_table
from debugset.models.params import EmbedParams
from debugset.models.weights import load_pretrained


def main() -> None:
    """Predict with the original model, in the multi-model setting with the others too; collect their failures."""
    params, embed = load("errors", ErrorsParams), load("embed", EmbedParams)
    sets = [open_set(SETS / name) for name in EVALUATED]
    frames = []
    for name in [ORIGINAL, *(params.models if params.setting == "multi" else [])]:
        classifier, description = _model(name, len(sets[0].classes))
        classifier = prepare_for_inference(classifier)
        for images in sets:
            frame = predict_table(classifier, description, images, np.arange(len(images)), embed.precision)
            frames.append(frame.assign(model=name, random_state=0, set=images.folder.name))
    table = pd.concat(frames, ignore_index=True)[PREDICTION_COLUMNS]
    write_parquet(ERRORS / "predictions.parquet", table)  # first: `debugset debug-classes` mends by it what follows
    classes = sets[0].classes
    failures = failures_frame(table, classes, params, read_modes(MENDED_MODES))
    check_something_to_collect(failures, table, classes, params)
    print(f"failures: {failures['role'].value_counts().to_dict()}")
    for line in gaps(failures, classes, params):
        print(line)
    write_parquet(ERRORS / "failures.parquet", failures)


def _model(name: str, classes: int) -> tuple[Classifier, Description]:
    """The original, the robust model, or one with ready weights."""
    classifier, description = load_model(MODELS / name) if name in (ORIGINAL, "robust") else load_pretrained(name)
    if len(description.classes) != classes:
        raise ValueError(
            f"params.yaml: `errors.models`: {name} tells {len(description.classes)} classes apart, "
            f"but the sets have {classes}; name models trained on the same classes"
        )
    return classifier, description


if __name__ == "__main__":
    run(main)
