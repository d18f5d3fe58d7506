"""Which precision and memory format train fastest on this machine: advice for ``recipe`` and nothing else.

What: training steps of the original model's architecture with the recipe's batch, on random images.
Against: fp32 with contiguous tensors, the ratio measured side by side in one run (rounds interleaved).
On: the device of ``$DEBUGSET_DEVICE``; the last output is committed beside this file, with its machine.
"""

import platform
import time

import torch

from debugset.base.params import load
from debugset.models.classifier import build
from debugset.models.device import autocast, device
from debugset.models.params import OriginalParams
from debugset.models.registry import find_architecture
from debugset.training.loop import optimiser_and_schedule, weighted_cross_entropy
from debugset.training.recipe import Recipe

ROUNDS, STEPS, WARM_UP, CLASSES = 5, 8, 2, 10
COMBINATIONS = [(precision, last) for precision in ("fp32", "bf16") for last in (False, True)]


def main() -> None:
    """Time every combination in turn, several rounds; print medians and ratios."""
    recipe, architecture = load("recipe", Recipe), find_architecture(load("original", OriginalParams).architecture)
    steppers = {key: _stepper(recipe, architecture, *key) for key in COMBINATIONS}
    seconds: dict = {key: [] for key in COMBINATIONS}
    for _ in range(ROUNDS):
        for key, step in steppers.items():
            for _ in range(WARM_UP):
                step()
            _wait()
            start = time.perf_counter()
            for _ in range(STEPS):
                step()
            _wait()
            seconds[key].append((time.perf_counter() - start) / STEPS)
    base = sorted(seconds["fp32", False])[ROUNDS // 2]
    print(f"{architecture.timm_name}, {recipe.batch} images of {architecture.input_size} px a step, {device()}, "
          f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads, "
          f"torch {torch.__version__}")  # fmt: skip
    for (precision, last), times in seconds.items():
        median = sorted(times)[ROUNDS // 2]
        name = f"precision: {precision}, channels_last: {str(last).lower()}"
        print(f"{name:40} {recipe.batch / median:8.0f} images/s   {base / median:5.2f} x fp32 contiguous")
    best = min(seconds, key=lambda key: sorted(seconds[key])[ROUNDS // 2])
    print(f"advice, with numerics: native: recipe.precision: {best[0]}, recipe.channels_last: {str(best[1]).lower()}")


def _stepper(recipe: Recipe, architecture, precision: str, channels_last: bool):
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = build(architecture, CLASSES).to(device(), memory_format=layout).train()
    optimiser, _ = optimiser_and_schedule(model, recipe)
    shape = (recipe.batch, 3, architecture.input_size, architecture.input_size)
    pixels = torch.rand(shape, device=device()).contiguous(memory_format=layout)
    labels = torch.randint(CLASSES, (recipe.batch,), device=device())
    weights = torch.ones(recipe.batch, device=device())

    def step() -> None:
        with autocast(device(), precision):
            loss = weighted_cross_entropy(model(pixels), labels, weights, recipe.label_smoothing)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return step


def _wait() -> None:
    if device().type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
