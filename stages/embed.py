"""Stage embed@E: features of the unfiltered pool and of the sets that later stages read, by embedder E."""

from debugset.base.command import argument, run
from debugset.base.machine import spool_folder
from debugset.base.params import load
from debugset.base.paths import DIAGNOSIS, FEATURES, HELDOUT_SOURCE, MODELS, POOL, SEED_SOURCE, SETS, TEST, TRAIN
from debugset.features.embed import embed
from debugset.images.sets import open_set
from debugset.models.classifier import load_model
from debugset.models.inference import prepare_for_inference
from debugset.models.params import EmbedParams

READ = (SETS / TRAIN, SETS / TEST, SETS / SEED_SOURCE, SETS / DIAGNOSIS, POOL)
COMPARED = (SETS / HELDOUT_SOURCE,)  # with the pool, by the leak filter alone, on robust features


def main() -> None:
    """Embed the sets with the embedder that the command names."""
    embedder = argument("EMBEDDER")
    params = load("embed", EmbedParams)
    classifier, description = load_model(MODELS / embedder)
    classifier = prepare_for_inference(classifier)
    for folder in READ + COMPARED if embedder == "robust" else READ:
        target, spool = FEATURES / embedder / folder.name, spool_folder() / "features"
        embed(classifier, description, open_set(folder), target, spool, precision=params.precision)


if __name__ == "__main__":
    run(main)
