"""Stage errors: predictions of the original model (and others), and its failures: seed, held-out, mended modes."""

from pathlib import Path

import numpy as np
import pandas as pd

from debugset.base.command import run
from debugset.base.files import write_parquet
from debugset.base.params import load
from debugset.dcd.failures import MODES_FILE, ErrorsParams, failures_frame, read_modes
from debugset.images.sets import open_set
from debugset.models.classifier import Classifier, Description
from debugset.models.classifier import load as load_model
from debugset.models.inference import ready
from debugset.models.outputs import predictions
from debugset.models.params import EmbedParams
from debugset.models.weights import pretrained

SETS = ("test", "mfreq", "complement", "deployment")


def main() -> None:
    """Predict with the original model, in the multi-model setting with the others too; collect their failures."""
    params, embed = load("errors", ErrorsParams), load("embed", EmbedParams)
    sets = [open_set(f"data/sets/{name}") for name in SETS]
    frames = []
    for name in ["original", *(params.models if params.setting == "multi" else [])]:
        classifier, description = _model(name, len(sets[0].classes))
        classifier = ready(classifier)
        for images in sets:
            rows = np.arange(len(images))
            predicted = predictions(classifier, description, images, rows, precision=embed.precision)
            frame = pd.DataFrame({"image_id": images.ids, "label": images.labels, "predicted": predicted})
            frames.append(frame.assign(model=name, set=images.folder.name))
    table = pd.concat(frames, ignore_index=True)
    failures = failures_frame(table, sets[0].classes, params, read_modes(MODES_FILE))
    print(f"failures: {failures['role'].value_counts().to_dict()}")
    write_parquet(Path("data/errors/predictions.parquet"), table)
    write_parquet(Path("data/errors/failures.parquet"), failures)


def _model(name: str, classes: int) -> tuple[Classifier, Description]:
    """The original, the robust model, or one with ready weights."""
    stored = {"original": "standard", "robust": "robust"}
    classifier, description = load_model(Path("models") / stored[name]) if name in stored else pretrained(name)
    if len(description.classes) != classes:
        raise ValueError(
            f"params.yaml: `errors.models`: {name} tells {len(description.classes)} classes apart, "
            f"but the sets have {classes}; name models trained on the same classes"
        )
    return classifier, description


if __name__ == "__main__":
    run(main)
