"""Stage model-robust: the embedder trained against L2 attacks, or one with ready weights."""

from dataclasses import replace

from debugset.base.command import run
from debugset.base.params import load
from debugset.base.paths import MODELS, SETS, TEST, TRAIN
from debugset.images.sets import open_set
from debugset.models.classifier import Classifier, Description, save_model
from debugset.models.device import device
from debugset.models.params import RobustParams
from debugset.models.weights import load_pretrained
from debugset.training.fitting import fit_fresh, robust_accuracy, training_attack, whole_set
from debugset.training.recipe import Recipe


def main() -> None:
    """Train or fetch the robust model; measure its clean and robust accuracy on test images."""
    params, recipe = load("robust", RobustParams), load("recipe", Recipe)
    if params.file is not None:
        classifier, description = load_pretrained(params.architecture, params.file, params.file_sha256)
    else:
        classifier, description = _train(params, recipe)
    tests = open_set(SETS / TEST)
    scores = robust_accuracy(classifier.to(device()), tests, params, recipe.batch)
    print("robust model, accuracy: " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))
    save_model(MODELS / "robust", classifier, replace(description, scores=scores))


def _train(params: RobustParams, recipe: Recipe) -> tuple[Classifier, Description]:
    changes = {"steps": params.steps, "peak_lr": params.peak_lr, "label_smoothing": params.label_smoothing}
    recipe = recipe.model_copy(update=changes)
    images = open_set(SETS / TRAIN)
    data, attack = whole_set(images), training_attack(params)
    return fit_fresh(
        params.architecture, data, images.classes, recipe, params.random_state, attack=attack, what="train: robust"
    )


if __name__ == "__main__":
    run(main)
