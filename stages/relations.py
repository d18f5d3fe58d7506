"""Stage relations: how attributes relate inside each network, against the ground truth."""

import pandas as pd

from debugset.base.command import run
from debugset.base.files import replacing_folder, write_parquet
from debugset.base.params import load
from debugset.base.paths import ATTRIBUTE_NETWORKS, ATTRIBUTED, GROUND_TRUTH, RELATIONS, TEST, TRAIN
from debugset.images.sets import open_set
from debugset.relations.mining import open_network
from debugset.relations.params import AttributesParams, RelationsParams
from debugset.relations.runs import biased_rows, read_test_attributes, read_training_attributes, runs
from debugset.relations.study import TABLES, Study
from debugset.relations.truth import read_relations


def main() -> None:
    """Examine every network; an empty folder where no image has attributes."""
    networks, params = load("attributes", AttributesParams), load("relations", RelationsParams)
    train, test = open_set(ATTRIBUTED / TRAIN), open_set(ATTRIBUTED / TEST)
    parts: dict[str, list[pd.DataFrame]] = {"runs": [], **{name: [] for name in TABLES}}
    if not len(train):
        print("relations: no images with attributes, so nothing is diagnosed")
    else:
        if not len(test):
            print("relations: no test images, so no accuracy is measured")
        attributes = read_training_attributes(train, networks)
        names = list(attributes.columns)
        test_attributes = read_test_attributes(test, names)
        truth = read_relations(GROUND_TRUTH / params.truth, names, params.unrelated)
        for one in runs(networks):
            print(f"relations: network {one.name}, {one.words}")
            rows = biased_rows(attributes, one.pair, one.tau, networks.images, one.random_state)
            network = open_network(ATTRIBUTE_NETWORKS / one.name, params.layer)
            study = Study(network, train, rows, attributes, test, test_attributes, truth, params)
            study.check_shown()
            parts["runs"].append(pd.DataFrame([{**vars(one), "images": len(rows)}]))
            for name, table in TABLES.items():
                parts[name].append(table(study).assign(run=one.name))
    with replacing_folder(RELATIONS) as folder:
        for name, tables in parts.items():
            if tables:
                write_parquet(folder / f"{name}.parquet", pd.concat(tables, ignore_index=True))


if __name__ == "__main__":
    run(main)
