"""The files of decision layers: weights that are not zero, biases, and the features' means and scales."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from debugset.base.files import read_parquet
from debugset.sparse.class_features import class_features
from debugset.sparse.layer import DecisionLayer

WEIGHTS, BIASES, MOMENTS = "weights", "biases", "moments"  # tables
KEY = ["model", "layer"]  # of a layer in each of them


def layer_tables(layers: Mapping[str, DecisionLayer]) -> dict[str, pd.DataFrame]:
    """Layers as tables.

    Returns:
        weights (of `class_features`), biases (class, bias) and moments (feature, mean, scale), each with layer.
    """
    parts: dict[str, list[pd.DataFrame]] = {WEIGHTS: [], BIASES: [], MOMENTS: []}
    for name, layer in layers.items():
        biases = pd.DataFrame({"class": np.arange(len(layer.bias)), "bias": layer.bias})
        moments = pd.DataFrame({"feature": np.arange(len(layer.means)), "mean": layer.means, "scale": layer.scales})
        for table, rows in {WEIGHTS: class_features(layer), BIASES: biases, MOMENTS: moments}.items():
            parts[table].append(rows.assign(layer=name))
    return {table: pd.concat(rows, ignore_index=True) for table, rows in parts.items()}


def read_layer(folder: Path, model: str, layer: str) -> DecisionLayer:
    """A layer of a folder that stage ``sparse`` wrote.

    Raises:
        ValueError: there is none of that model and name.
    """
    parts = {}
    for name in (WEIGHTS, BIASES, MOMENTS):
        table = read_parquet(folder / f"{name}.parquet")
        parts[name] = table[(table["model"] == model) & (table["layer"] == layer)]
    rows, biases, moments = parts[WEIGHTS], parts[BIASES], parts[MOMENTS]
    if biases.empty:
        known = read_parquet(folder / f"{BIASES}.parquet")[KEY].drop_duplicates().agg(" ".join, axis=1)
        raise ValueError(f"{folder}: has no layer `{layer}` of model `{model}`; choose from {', '.join(known)}")
    weights = np.zeros((len(moments), len(biases)))
    weights[rows["feature"], rows["class"]] = rows["weight"]
    means, scales = moments["mean"].to_numpy(), moments["scale"].to_numpy()
    return DecisionLayer(weights, biases["bias"].to_numpy(), means, scales)
