"""The results of the diagnosis of relations, as the page, the metrics and the plots show them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from debugset.base.paths import RELATIONS
from debugset.relations.accuracy import ENTROPY, LOW_ENTROPY, OURS
from debugset.report.inputs import Inputs, records

_SIGNS = {"+": "with", "-": "without"}
METHOD_WORDS = {OURS: "this diagnosis", ENTROPY: "highest entropy", LOW_ENTROPY: "lowest entropy, unrelated pairs"}
PAIR = ["attribute_a", "attribute_b"]
SERIES = [*PAIR, "random_state"]  # a biased pair is followed over the levels of bias


@dataclass
class RelationTables:
    """The tables of stage `relations`."""

    inputs: Inputs

    @property
    def empty(self) -> bool:
        """Whether the profile has no images with attributes."""
        return bool(self.inputs.missing_files([RELATIONS / "runs.parquet"]))

    def table(self, name: str) -> pd.DataFrame:
        """A table; a column ``run`` says which network a row is about."""
        return self.inputs.frame(RELATIONS / f"{name}.parquet")

    def of_run(self, name: str, run: str) -> pd.DataFrame:
        """The rows of a table that are about one network."""
        table = self.table(name)
        return table[table["run"] == run].reset_index(drop=True)

    @property
    def runs(self) -> pd.DataFrame:
        """The networks: name, attribute_a, attribute_b, tau, random_state, images."""
        return self.table("runs")

    @cached_property
    def shown_runs(self) -> list[dict[str, Any]]:
        """Networks that the page shows, of the first random state: the unbiased one, each pair's most biased one."""
        first = self.runs[self.runs["random_state"] == self.runs["random_state"].iloc[0]]
        most_biased = first.groupby(PAIR, sort=False)["tau"].idxmax()
        return records(first.loc[most_biased])

    @cached_property
    def biased_pairs(self) -> pd.DataFrame:
        """Rows of table ``pairs`` with random_state and tau: the biased pairs over all levels, 0 included, in order."""
        pairs = self.table("pairs")
        parts = [pairs.head(0).assign(random_state=0)]
        for biased in records(self.runs[self.runs["tau"] > 0]):
            unbiased = self.runs[(self.runs["tau"] == 0) & (self.runs["random_state"] == biased["random_state"])]
            pair = [biased["attribute_a"], biased["attribute_b"]]  # the table may name them the other way round
            which = pairs[PAIR].isin(pair).all(axis=1) & pairs["run"].isin([biased["name"], *unbiased["name"]])
            parts.append(pairs[which].assign(random_state=biased["random_state"]))
        table = pd.concat(parts, ignore_index=True).drop_duplicates([*SERIES, "run"])
        table = table.assign(tau=table["run"].map(self.runs.set_index("name")["tau"]))
        return table.sort_values([*SERIES, "tau"], ignore_index=True)

    def level_correlations(self) -> dict[tuple[Any, ...], float]:
        """Spearman's correlation of level and divergence, by biased pair and random state, from three levels on."""
        from scipy.stats import spearmanr

        correlations = {}
        for (a, b, random_state), levels in self.biased_pairs.groupby(SERIES, sort=False):
            if len(levels) > 2:
                correlations[a, b, random_state] = float(spearmanr(levels["tau"], levels["kl"])[0])
        return correlations

    def costs(self) -> pd.DataFrame:
        """Table 1: tau, top, method, modes, passed, ordinary, in_mode, decrease; means over the networks of a level."""
        table = self.table("costs")
        table = table.assign(tau=table["run"].map(self.runs.set_index("name")["tau"])).drop(columns="run")
        return table.groupby(["tau", "top", "method"], sort=False).mean().reset_index()


def run_words(run: dict[str, Any]) -> str:
    """A network by its training set."""
    return f"{run['attribute_a']}-{run['attribute_b']}, tau {run['tau']:g}" if run["tau"] else "unbiased"


def mode_words(a: str, b: str, mode: str) -> str:
    """The images of a failure mode in words; empty if the pair has none."""
    return f"{_SIGNS[mode[0]]} {a}, {_SIGNS[mode[1]]} {b}" if mode else ""
