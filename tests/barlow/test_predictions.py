"""The predictions that failures come from: stored ones, joined to their images, and new ones."""

import numpy as np
import pandas as pd
import pytest

from debugset.barlow.predictions import new_predictions, stored_predictions
from debugset.models.classifier import Description, save_model
from debugset.models.inference import prepare_for_inference
from debugset.models.outputs import predict
from debugset.models.registry import find_architecture


def write_predictions(path, images, **changes):
    """Predictions of two models on two sets, in no order."""
    parts = []
    for model in ("original", "robust"):
        for name in (images.folder.name, "elsewhere"):
            right = (model, name) == ("original", images.folder.name)
            predicted = np.arange(len(images)) if right else -1
            parts.append(pd.DataFrame({"model": model, "set": name, "image_id": images.ids, "predicted": predicted}))
    table = pd.concat(parts).sample(frac=1, random_state=0).assign(**changes)
    table.to_parquet(path)
    return table


def test_stored_predictions_are_of_the_model_and_set_in_the_images_order(images, tmp_path):
    write_predictions(tmp_path / "table.parquet", images)
    found = stored_predictions(tmp_path / "table.parquet", "original", images)
    assert found.dtype == np.int64
    assert found.tolist() == list(range(12))


def test_predictions_of_other_images_are_refused(images, tmp_path):
    path = tmp_path / "table.parquet"
    table = write_predictions(path, images)
    for other in (table.iloc[:-20], table.assign(image_id=table["image_id"] + "x"), pd.concat([table, table])):
        other.to_parquet(path)
        with pytest.raises(ValueError, match=r"table.parquet: belongs to other images; run stage errors again"):
            stored_predictions(path, "original", images)


def test_new_predictions_are_those_of_the_stored_model(images, network, tmp_path):
    architecture = find_architecture("test_resnet")
    save_model(tmp_path / "robust", network, Description("test_resnet", architecture, ("a", "b", "c"), "somewhere"))
    images.classes = ("a", "b", "c")
    found = new_predictions(tmp_path / "robust", images, "fp32")
    described = Description("test_resnet", architecture, images.classes, "")
    assert np.array_equal(found, predict(prepare_for_inference(network), described, images, np.arange(12), "fp32"))
    images.classes = ("a", "b")
    with pytest.raises(ValueError, match=r"robust: tells 3 classes apart, but .* has 2; name a robust model trained"):
        new_predictions(tmp_path / "robust", images, "fp32")
