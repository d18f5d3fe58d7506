"""Stage attributes: an attribute network for each random state, biased pair and bias level."""

from debugset.base.command import run
from debugset.base.files import replacing_folder
from debugset.base.params import load
from debugset.base.paths import ATTRIBUTE_NETWORKS, ATTRIBUTED, TRAIN
from debugset.images.sets import open_set
from debugset.models.classifier import save_model
from debugset.relations.networks import fit_attributes
from debugset.relations.params import AttributesParams
from debugset.relations.runs import biased_rows, read_training_attributes, runs


def main() -> None:
    """Train every network; none where no image has attributes."""
    params = load("attributes", AttributesParams)
    images = open_set(ATTRIBUTED / TRAIN)
    attributes = read_training_attributes(images, params)
    jobs = []
    if len(images):
        for one in runs(params):  # all rows before any network: what is wrong with them shows at once
            jobs.append((one, biased_rows(attributes, one.pair, one.tau, params.images, one.random_state)))
    with replacing_folder(ATTRIBUTE_NETWORKS) as folder:
        for one, rows in jobs:
            what = f"attributes: {one.words}"
            model = fit_attributes(images, rows, attributes.iloc[rows], params, one.random_state, what)
            save_model(folder / one.name, *model)
    print(f"attributes: {len(jobs)} networks of {attributes.shape[1]} attributes")


if __name__ == "__main__":
    run(main)
