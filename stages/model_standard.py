"""Stage model-standard: the original model, whose failures are debugged."""

from pathlib import Path

from debugset.base.command import run
from debugset.base.params import load
from debugset.images.sets import open_set
from debugset.models.classifier import save
from debugset.models.params import StandardParams
from debugset.training.fitting import fit_fresh, whole_set
from debugset.training.recipe import Recipe


def main() -> None:
    """Train the original model by the recipe."""
    params, recipe = load("standard", StandardParams), load("recipe", Recipe)
    images = open_set("data/sets/train")
    model = fit_fresh(
        params.architecture, whole_set(images), images.classes, recipe, params.seed, describe="train: standard"
    )
    save(Path("models/standard"), *model)


if __name__ == "__main__":
    run(main)
