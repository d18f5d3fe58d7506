"""Claim: the diagnosis of relations ranks a planted bias first and falls silent without one.

Measures: rank, divergence and mean cosine of the planted pair among unrelated pairs, in networks trained on sets of
rising bias; three pairs, three random states whose divergences no setting was chosen by. "beside" is its rank when
other pairs whose annotations the bias has correlated too (by more than .1) are set aside: bag with sandal brings bag
with footwear.
Spearman's correlation of divergence and tau is over a pair and random state.
Against: the same networks without a mask.
On: the outfit world, the settings of profiles/fashion.yaml, portable numerics. About 20 minutes on two cores. The
last table is that of docs/relations.md: medians of the nine series, and their range.

    PYTHONPATH=src python -m benchmarks.planted_pairs > benchmarks/planted_pairs.txt
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from debugset.base.numerics import in_force, make_portable
from debugset.base.paths import TEST, TRAIN
from debugset.cli.profiles import read
from debugset.cli.sections import validate
from debugset.datasets.outfits import ground_truth
from debugset.datasets.sections import attribute_sets
from debugset.images.sets import open_set, read_attributes, write_set
from debugset.models.device import device
from debugset.relations.diagnosis import FAILURE_MODE
from debugset.relations.mining import Network
from debugset.relations.networks import fit_attributes
from debugset.relations.runs import biased_rows, runs
from debugset.relations.study import Study

PAIRS, RANDOM_STATES = [["bag", "sandal"], ["sandal", "coat"], ["bag", "coat"]], [1, 2, 3]
MASKS = ("greedy", "all")
CORRELATED = 0.1


def main() -> None:
    """Print the table of both masks, then the Spearman correlations and the false alarms."""
    sections = validate(read("fashion"))
    params = sections["attributes"].model_copy(update={"pairs": PAIRS, "random_states": RANDOM_STATES})
    tables = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (records, _) in attribute_sets(sections["attributed"]).items():
            (Path(folder) / name).mkdir()
            write_set(Path(folder) / name, records, ("image",))
        train, test = open_set(Path(folder) / TRAIN), open_set(Path(folder) / TEST)
        attributes = read_attributes(train)
        for one in runs(params):
            rows = biased_rows(attributes, one.pair, one.tau, params.images, one.random_state)
            classifier, description = fit_attributes(
                train, rows, attributes.iloc[rows], params, one.random_state, one.words
            )
            for mask in MASKS:
                settings = sections["relations"].model_copy(update={"mask": mask})
                network = Network(classifier.to(device()), description.architecture, settings.layer)
                truth = ground_truth()
                study = Study(network, train, rows, attributes, test, read_attributes(test), truth, settings)
                table = study.diagnosis.assign(
                    biased_a=one.attribute_a,
                    biased_b=one.attribute_b,
                    tau=one.tau,
                    random_state=one.random_state,
                    mask=mask,
                    accuracy=float(study.right.to_numpy().mean()),
                )
                tables.append(table)
    diagnoses = pd.concat(tables, ignore_index=True)
    planted = {mask: report(diagnoses[diagnoses["mask"] == mask], mask) for mask in MASKS}
    print(summary(planted))


def report(table: pd.DataFrame, mask: str) -> pd.DataFrame:
    """Print what one mask's diagnoses say; a row a planted pair."""
    table = table[table["relation"] == "unrelated"]
    rows = []
    for pair in PAIRS:
        for (random_state, tau), network in table.groupby(["random_state", "tau"]):
            mine = network[_is(network, "biased", pair) | (tau == 0)]
            rows.append({"pair": "-".join(pair), "random_state": random_state, "tau": tau, **_planted(mine, pair)})
    lines = pd.DataFrame(rows)
    print(f"mask {mask}\n{lines.round(3).to_string(index=False)}\n")
    for (pair, random_state), series in lines.groupby(["pair", "random_state"], sort=False):
        print(
            f"mask {mask}, {pair}, random_state {random_state}: Spearman of tau and divergence",
            f"{spearmanr(series['tau'], series['kl'])[0]:.2f}",
        )
    calm = table[table["correlation"].abs() <= CORRELATED]
    alarms = calm[calm["kind"] == FAILURE_MODE]
    unbiased = table[table["tau"] == 0]
    print(
        f"mask {mask}: failure modes on unrelated pairs of unbiased networks:",
        f"{(unbiased['kind'] == FAILURE_MODE).sum()} of {len(unbiased)}",
    )
    print(
        f"mask {mask}: the same on pairs without correlated annotations, all networks: {len(alarms)} of {len(calm)}\n",
        flush=True,
    )
    return lines


def summary(planted: dict[str, pd.DataFrame]) -> str:
    """A row a level of bias, the masks side by side."""
    text = "| tau | correlation |" + " cosine, {} mask | divergence | rank | fires |" * len(planted)
    rows = [text.format(*planted), "|---:|---:|" + "---|---|---|---:|" * len(planted)]
    for tau, first in planted[MASKS[0]].groupby("tau"):
        cells = [f"{tau:g}", f"{first['correlation'].median():.2f}"]
        for lines in planted.values():
            level = lines[lines["tau"] == tau]
            spread = [_spread(level["mean"], 2), _spread(level["kl"], 1), _spread(level["rank"], 0)]
            cells += [*spread, str(level["fires"].sum())]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows).replace("-0.", "\N{MINUS SIGN}0.")


def _spread(values: pd.Series, digits: int) -> str:
    return f"{values.median():.{digits}f} ({values.min():.{digits}f} to {values.max():.{digits}f})"


def _planted(network: pd.DataFrame, pair: list[str]) -> dict[str, object]:
    planted = network[_is(network, "own", pair)].iloc[0]
    others = network[~_is(network, "own", pair)]
    calm = others[others["correlation"].abs() <= CORRELATED]
    return {
        **planted[["correlation", "mean", "kl"]],
        "rank": 1 + (others["kl"] > planted["kl"]).sum(),
        "beside": 1 + (calm["kl"] > planted["kl"]).sum(),
        "of": len(network),
        "next_kl": calm["kl"].max(),
        "fires": planted["kind"] == FAILURE_MODE,
        "accuracy": planted["accuracy"],
    }


def _is(table: pd.DataFrame, which: str, pair: list[str]) -> np.ndarray:
    """Rows of a pair: whose ``own`` it is, or whose network was ``biased`` by it."""
    a, b = ("attribute_a", "attribute_b") if which == "own" else ("biased_a", "biased_b")
    return ((table[a] == pair[0]) & (table[b] == pair[1])).to_numpy()


if __name__ == "__main__":
    if in_force() == "native":  # libraries read the settings when they are loaded: once more from the start
        make_portable(os.environ)
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.planted_pairs"])
    main()
