"""Stage relations: how attributes relate inside each network, against the ground truth."""

from pathlib import Path

import pandas as pd

from debugset.base.command import run
from debugset.base.files import replacing_folder, write_parquet
from debugset.base.params import load
from debugset.base.paths import ATTRIBUTE_NETWORKS, ATTRIBUTED, RELATIONS
from debugset.images.sets import open_set
from debugset.relations.mining import open_network
from debugset.relations.params import AttributesParams, RelationsParams
from debugset.relations.runs import attributes_of_tests, biased_rows, checked_attributes, runs
from debugset.relations.study import TABLES, Study
from debugset.relations.truth import read_relations


def main() -> None:
    """Examine every network; an empty folder where no image has attributes."""
    networks, params = load("attributes", AttributesParams), load("relations", RelationsParams)
    train, test = (open_set(ATTRIBUTED / name) for name in ("train", "test"))
    tables: dict[str, list[pd.DataFrame]] = {"runs": [], **{name: [] for name in TABLES}}
    if len(train):
        shown = checked_attributes(train, networks)
        tested = attributes_of_tests(test, list(shown.columns))
        truth = read_relations(Path("ground_truth") / params.truth, list(shown.columns))
        if params.unrelated is not None and params.unrelated not in set(truth["relation"]):
            raise ValueError(
                f"relations.unrelated: no pair of {params.truth} is labelled {params.unrelated}; the labels are "
                f"{', '.join(truth['relation'].unique())}; name one of them, or null"
            )
        for one in runs(networks):
            print(f"relations: network {one.name}, {one.words}")
            rows = biased_rows(shown, one.pair, one.tau, networks.images, one.random_state)
            network = open_network(ATTRIBUTE_NETWORKS / one.name, params.layer)
            study = Study(network, train, rows, shown, test, tested, truth, params)
            tables["runs"].append(pd.DataFrame([{**vars(one), "images": len(rows)}]))
            for name, table in TABLES.items():
                tables[name].append(table(study).assign(run=one.name))
    with replacing_folder(RELATIONS) as folder:
        for name, found in tables.items():
            if found:
                write_parquet(folder / f"{name}.parquet", pd.concat(found, ignore_index=True))


if __name__ == "__main__":
    run(main)
