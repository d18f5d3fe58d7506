"""What the analysed models say of the images: the original as stage errors stored it, the robust model anew."""

from pathlib import Path

import numpy as np
from jaxtyping import Int64

from debugset.base.files import read_parquet
from debugset.images.sets import ImageSet
from debugset.models.classifier import load_model
from debugset.models.inference import prepare_for_inference
from debugset.models.outputs import predict
from debugset.models.params import Precision


def stored_predictions(path: Path, model: str, images: ImageSet) -> Int64[np.ndarray, " n"]:
    """A model's predicted class of every image of a set, in the manifest's order.

    Args:
        path: table of model, set (its folder's name), image_id and predicted, a row an image.
        model: its name there.

    Raises:
        ValueError: the table has other images.
    """
    table = read_parquet(path)
    table = table[(table["model"] == model) & (table["set"] == images.folder.name)].set_index("image_id")
    if len(table) != len(images) or not table.index.isin(images.ids).all():
        raise ValueError(f"{path}: belongs to other images; run stage errors again")
    return table["predicted"].reindex(images.ids).to_numpy(np.int64)


def new_predictions(folder: Path, images: ImageSet, precision: Precision) -> Int64[np.ndarray, " n"]:
    """A stored model's predicted class of every image of a set, in the manifest's order.

    Raises:
        FileNotFoundError: the folder holds no model.
        ValueError: the model tells another number of classes apart.
    """
    classifier, description = load_model(folder)
    if len(description.classes) != len(images.classes):
        raise ValueError(
            f"{folder}: tells {len(description.classes)} classes apart, but {images.folder.name} has "
            f"{len(images.classes)}; name a robust model trained on the same classes"
        )
    return predict(prepare_for_inference(classifier), description, images, np.arange(len(images)), precision)
