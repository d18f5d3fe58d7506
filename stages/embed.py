"""Stage embed@E: features of the unfiltered pool and of the sets that later stages read, by embedder E."""

import sys
from pathlib import Path

from debugset.base.command import run
from debugset.base.machine import spool_folder
from debugset.base.params import load
from debugset.features.embed import embed
from debugset.images.sets import open_set
from debugset.models.classifier import load as load_model
from debugset.models.inference import ready
from debugset.models.params import EmbedParams

SETS = ("sets/mfreq", "sets/deployment", "pool")  # picks, retention and failure modes are by these
COMPARED = ("sets/train", "sets/test", "sets/complement")  # with the pool by the leak filter, by robust distances alone


def main() -> None:
    """Embed the sets with the embedder that the command names."""
    embedder = sys.argv[1]
    params = load("embed", EmbedParams)
    classifier, description = load_model(Path("models") / embedder)
    classifier = ready(classifier)
    for name in (*SETS, *(COMPARED if embedder == "robust" else ())):
        target = Path("data/features") / embedder / Path(name).name
        images = open_set(Path("data") / name)
        spool = spool_folder() / "features"
        embed(classifier, description, images, target, spool, precision=params.precision)


if __name__ == "__main__":
    run(main)
