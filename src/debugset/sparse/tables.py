"""The files of decision layers: weights that are not zero, biases, and the features' means and scales."""

from pathlib import Path

import numpy as np
import pandas as pd

from debugset.base.files import read_parquet
from debugset.sparse.layer import DecisionLayer

WEIGHTS, BIASES, MOMENTS = "weights.parquet", "biases.parquet", "moments.parquet"
LAYER_KEY = ["model", "layer"]


def layer_frames(layer: DecisionLayer) -> dict[str, pd.DataFrame]:
    """A layer as three tables, by the names of their files.

    Returns:
        weights (class, feature, weight, importance; by class, the most important first), biases (class, bias) and
        moments (feature, mean, scale).
    """
    rows = []
    for class_ in range(len(layer.bias)):
        for feature in layer.used(class_).tolist():
            importance = layer.importance[feature, class_]
            rows.append((class_, feature, layer.weights[feature, class_], importance))
    weights = pd.DataFrame(rows, columns=["class", "feature", "weight", "importance"])
    biases = pd.DataFrame({"class": np.arange(len(layer.bias)), "bias": layer.bias})
    moments = pd.DataFrame({"feature": np.arange(len(layer.means)), "mean": layer.means, "scale": layer.scales})
    return {WEIGHTS: weights, BIASES: biases, MOMENTS: moments}


def read_layer(folder: Path, model: str, layer: str) -> DecisionLayer:
    """A layer of a folder that stage ``sparse`` wrote.

    Raises:
        ValueError: there is none of that model and name.
    """
    parts = {}
    for name in (WEIGHTS, BIASES, MOMENTS):
        table = read_parquet(folder / name)
        parts[name] = table[(table["model"] == model) & (table["layer"] == layer)]
    biases, moments = parts[BIASES], parts[MOMENTS]
    if biases.empty:
        known = read_parquet(folder / BIASES)[LAYER_KEY].drop_duplicates().agg(" ".join, axis=1)
        raise ValueError(f"{folder}: has no layer `{layer}` of model `{model}`; choose from {', '.join(known)}")
    weights = np.zeros((len(moments), len(biases)))
    rows = parts[WEIGHTS]
    weights[rows["feature"], rows["class"]] = rows["weight"]
    means, scales = moments["mean"].to_numpy(), moments["scale"].to_numpy()
    return DecisionLayer(weights, biases["bias"].to_numpy(), means, scales)
