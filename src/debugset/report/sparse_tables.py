"""The results of stage `sparse`, as the page, the metrics and the plots show them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from debugset.base.paths import SPARSE
from debugset.report.inputs import Inputs, records
from debugset.report.pictures import Lane, decode_lane

ACCURACIES = {"test": "test", "diagnosis": "deployment"}  # columns, and how figures call them
LAYER_WORDS = {"sparse": "chosen", "dense": "dense", "own": "its own"}
_LANES = {
    "activating": "strongest of all",
    "heatmap": "where: its map",
    "gradient": "where: its gradient",
    "attack": "changed to raise it",
}


@dataclass
class SparseTables:
    """The tables of stage `sparse`."""

    inputs: Inputs

    def table(self, name: str) -> pd.DataFrame:
        """A table; columns ``model`` and, but for path and pictures, ``layer`` say what a row is about."""
        return self.inputs.frame(SPARSE / f"{name}.parquet")

    @property
    def models(self) -> list[str]:
        """The models in the order of the parameters; the features of the first are pictured."""
        return self.table("layers")["model"].unique().tolist()

    def planted(self, name: str) -> pd.DataFrame:
        """The table ``causes``, ``blame`` or ``swaps``; empty where no background can be exchanged."""
        path = SPARSE / f"{name}.parquet"
        return pd.DataFrame() if self.inputs.missing_files([path]) else self.inputs.frame(path)

    @cached_property
    def names(self) -> dict[tuple[str, str], str]:
        """Each layer in words: `original, chosen: 9.8 features a class`."""
        names = {}
        for row in records(self.table("layers")):
            of_features = f"{row['features']:.1f} features a class"
            names[row["model"], row["layer"]] = f"{row['model']}, {LAYER_WORDS[row['layer']]}: {of_features}"
        return names

    def removal_rows(self, removal: str) -> list[dict[str, Any]]:
        """A row a layer: name, errors, then share, low, high and chance by how many features are removed."""
        shares = self.table("removal_shares")
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for row in records(shares[shares["removal"] == removal]):
            key = row["model"], row["layer"]
            about = {"name": self.names[key], "model": row["model"], "errors": row["errors"], "by_size": {}}
            rows.setdefault(key, about)["by_size"][row["removed"]] = row
        return list(rows.values())

    def measures(self, name: str) -> list[dict[str, Any]]:
        """Table ``blame`` or ``swaps``: a row a layer (and removal) with name, and its measures by their names."""
        rows: dict[tuple[str, ...], dict[str, Any]] = {}
        for row in records(self.planted(name)):
            removal = row.get("removal", "")
            about = {"name": self.names[row["model"], row["layer"]], "removal": removal, "measures": {}}
            rows.setdefault((row["model"], row["layer"], removal), about)["measures"][row["measure"]] = row
        return list(rows.values())

    @property
    def shown_weights(self) -> pd.DataFrame:
        """The weights of the chosen layer whose features are pictured."""
        weights, shown = self.table("weights"), self.table("pictures")["feature"].unique()
        mine = (weights["model"] == self.models[0]) & (weights["layer"] == "sparse")
        return weights[mine & weights["feature"].isin(shown)]

    def feature_lanes(self, feature: int) -> list[Lane]:
        """The pictures of a feature, a lane a kind."""
        lanes = [self.lane(feature, kind, title) for kind, title in _LANES.items()]
        return [lane for lane in lanes if lane.images]

    def lane(self, feature: int, kind: str, title: str) -> Lane:
        """The pictures of one kind of a feature, their values below; without any where the kind was not made."""
        pictures = self.table("pictures")
        mine = pictures[(pictures["feature"] == feature) & (pictures["kind"] == kind)].sort_values("rank")
        captions = mine["value"].map("{:.2f}".format).replace("nan", "")
        return decode_lane(title, mine["png"], captions.tolist())
