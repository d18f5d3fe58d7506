"""The results of the diagnosis of relations, as the page, the metrics and the plots show them."""

from functools import cached_property
from typing import Any

import pandas as pd

from debugset.base.paths import RELATIONS
from debugset.relations.accuracy import ENTROPY, LOW_ENTROPY, OURS
from debugset.report.inputs import Inputs

GRAPHS_A_ROW = 3
SIGNS = {"+": "with", "-": "without"}
METHODS = {
    OURS: "this diagnosis",
    ENTROPY: "highest entropy",
    LOW_ENTROPY: "lowest entropy, unrelated pairs",
}


class Relations:
    """The tables of stage `relations`, each read when it is asked for.

    Args:
        inputs: where they lie.
    """

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs

    def table(self, name: str) -> pd.DataFrame:
        """A table; a column ``run`` says which network a row is about."""
        return self._inputs.frame(RELATIONS / f"{name}.parquet")

    @cached_property
    def empty(self) -> bool:
        """Whether the profile has no images with attributes."""
        return bool(self._inputs.missing((RELATIONS / "runs.parquet",)))

    @cached_property
    def runs(self) -> pd.DataFrame:
        """name, attribute_a, attribute_b, tau, random_state, images."""
        return self.table("runs")

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Every pair's diagnosis in every network."""
        return self.table("pairs")

    @cached_property
    def shown(self) -> list[dict[str, Any]]:
        """Networks that the page shows, of the first random state: the unbiased one, each pair's most biased one."""
        first = self.runs[self.runs["random_state"] == self.runs["random_state"].iloc[0]]
        places = first.groupby(["attribute_a", "attribute_b"], sort=False)["tau"].idxmax()
        return [{str(key): value for key, value in row.items()} for row in first.loc[places].to_dict("records")]

    def of(self, table: pd.DataFrame, run: str) -> pd.DataFrame:
        """The rows of one network."""
        return table[table["run"] == run].reset_index(drop=True)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the graphs: the expected one and each network's."""
        count = 1 + len(self.shown)
        return -(-count // GRAPHS_A_ROW), min(count, GRAPHS_A_ROW)

    @cached_property
    def planted(self) -> pd.DataFrame:
        """The biased pairs over all levels, 0 included.

        Columns: attribute_a, attribute_b, random_state, tau, kl, mean, rank, kind.
        """
        found = []
        for row in self.runs[self.runs["tau"] > 0].to_dict("records"):
            mine = (self.pairs["attribute_a"] == row["attribute_a"]) & (self.pairs["attribute_b"] == row["attribute_b"])
            swapped = (self.pairs["attribute_a"] == row["attribute_b"]) & (
                self.pairs["attribute_b"] == row["attribute_a"]
            )
            unbiased = self.runs[(self.runs["tau"] == 0) & (self.runs["random_state"] == row["random_state"])]["name"]
            rows = self.pairs[(mine | swapped) & self.pairs["run"].isin([row["name"], *unbiased])]
            found.append(rows.assign(random_state=row["random_state"]))
        if not found:
            return pd.DataFrame(
                columns=["attribute_a", "attribute_b", "random_state", "tau", "kl", "mean", "rank", "kind"]
            )
        levels = self.runs.set_index("name")["tau"]
        table = pd.concat(found, ignore_index=True).drop_duplicates(
            ["attribute_a", "attribute_b", "run", "random_state"]
        )
        table = table.assign(tau=table["run"].map(levels))
        return table.sort_values(["attribute_a", "attribute_b", "random_state", "tau"], ignore_index=True)

    def falls(self) -> list[float]:
        """Spearman's correlation of level and divergence, for each biased pair and random state."""
        from scipy.stats import spearmanr

        series = self.planted.groupby(["attribute_a", "attribute_b", "random_state"], sort=False)
        return [float(spearmanr(one["tau"], one["kl"])[0]) for _, one in series if len(one) > 2]

    def costs(self) -> pd.DataFrame:
        """Table 1: tau, top, method, modes, passed, ordinary, in_mode, decrease; means over the networks of a level."""
        table = self.table("costs")
        table = table.assign(tau=table["run"].map(self.runs.set_index("name")["tau"])).drop(columns="run")
        return table.groupby(["tau", "top", "method"], sort=False).mean().reset_index()


def mode_words(a: str, b: str, mode: str) -> str:
    """The images of a failure mode in words."""
    return f"{SIGNS[mode[0]]} {a}, {SIGNS[mode[1]]} {b}" if mode else ""
