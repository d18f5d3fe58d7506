"""Stage attributes: an attribute network for each random state, biased pair and bias level."""

from debugset.base.command import run
from debugset.base.files import replacing_folder
from debugset.base.params import load
from debugset.base.paths import ATTRIBUTE_NETWORKS, ATTRIBUTED
from debugset.images.sets import open_set
from debugset.models.classifier import save_model
from debugset.relations.networks import fit_attributes
from debugset.relations.params import AttributesParams
from debugset.relations.runs import biased_rows, checked_attributes, runs


def main() -> None:
    """Train every network; none where no image has attributes."""
    params = load("attributes", AttributesParams)
    images = open_set(ATTRIBUTED / "train")
    attributes = checked_attributes(images, params)
    wished = runs(params) if len(images) else []
    drawn = [
        biased_rows(attributes, one.pair, one.tau, params.images, one.random_state) for one in wished
    ]  # or fails at once
    with replacing_folder(ATTRIBUTE_NETWORKS) as folder:
        for one, rows in zip(wished, drawn, strict=True):
            network, described = fit_attributes(
                images, rows, attributes.iloc[rows], params, one.random_state, f"attributes: {one.words}"
            )
            save_model(folder / one.name, network, described)
        print(f"attributes: {len(list(folder.iterdir()))} networks of {attributes.shape[1]} attributes")


if __name__ == "__main__":
    run(main)
