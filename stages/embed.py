"""Stage embed@E: features of the unfiltered pool and of every set, by embedder E."""

import sys
from pathlib import Path

from debugset.command import run
from debugset.images.sets import open_set
from debugset.machine import spool_folder
from debugset.models.classifier import load as load_model
from debugset.models.embedding import embed
from debugset.models.params import EmbedParams
from debugset.params import load

SETS = ("sets/train", "sets/test", "sets/mfreq", "sets/complement", "sets/deployment", "pool")


def main() -> None:
    """Embed all sets with the embedder that the command names."""
    embedder = sys.argv[1]
    params = load("embed", EmbedParams)
    classifier, description = load_model(Path("models") / embedder)
    for name in SETS:
        target = Path("data/features") / embedder / Path(name).name
        images = open_set(Path("data") / name)
        spool = spool_folder() / "features"
        embed(classifier, description, images, target, spool, batch=params.batch, precision=params.precision)


if __name__ == "__main__":
    run(main)
