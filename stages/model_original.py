"""Stage model-original: the original model, whose failures are debugged."""

from debugset.base.command import run
from debugset.base.params import load
from debugset.base.paths import MODELS, SETS, TRAIN
from debugset.images.sets import open_set
from debugset.models.classifier import save_model
from debugset.models.params import OriginalParams
from debugset.training.fitting import fit_fresh, whole_set
from debugset.training.recipe import Recipe


def main() -> None:
    """Train the original model by the recipe."""
    params, recipe = load("original", OriginalParams), load("recipe", Recipe)
    images = open_set(SETS / TRAIN)
    data, what = whole_set(images), "train: original"
    model = fit_fresh(params.architecture, data, images.classes, recipe, params.random_state, what=what)
    save_model(MODELS / "original", *model)


if __name__ == "__main__":
    run(main)
