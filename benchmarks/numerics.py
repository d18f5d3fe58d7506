"""What portable numerics cost, and what spinning threads cost others.

What: seconds of the original model's training, 150 steps of the recipe, data loading included.
Against: native numerics; OpenMP's own way of waiting; each alone and, the waiting, beside one busy core.
On: the default's training set, so run `dvc repro prepare` first. Each measurement is a process of its own; all are
taken in turn, three rounds in one run, so that a machine that slows down slows all of them.

Run it as `python -m benchmarks.numerics`. It takes about eight minutes.
"""

import os
import subprocess
import sys
import time
from contextlib import nullcontext, suppress
from statistics import median

from debugset.base.numerics import PORTABLE, PREFIXES, SPIN, SPINS, cpu_name

ROUNDS, STEPS = 3, 150
WAITING = {SPIN: SPINS}
CASES = {  # name: environment, whether beside a busy core
    "native": (WAITING, False),
    "portable": (PORTABLE | WAITING, False),
    "waiting as by default": ({}, False),
    "native, a core busy": (WAITING, True),
    "portable, a core busy": (PORTABLE | WAITING, True),
    "waiting as by default, a core busy": ({}, True),
}
RATIOS = (
    ("portable", "native"),
    ("native", "waiting as by default"),
    ("portable, a core busy", "native, a core busy"),
    ("waiting as by default, a core busy", "native, a core busy"),
)


def main() -> None:
    """Print each case's median, then the ratios."""
    seconds: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(ROUNDS):
        for name, (environment, busy) in CASES.items():
            seconds[name].append(measured(environment, busy))
    print(f"{cpu_name()}, {os.cpu_count()} processors, {STEPS} steps, median of {ROUNDS} (least to most)")
    for name, times in seconds.items():
        print(f"{name:36} {median(times):6.1f} s ({min(times):.1f} to {max(times):.1f})")
    for one, other in RATIOS:
        print(f"{one} takes {median(seconds[one]) / median(seconds[other]):.2f} times as long as {other}")


def measured(environment: dict[str, str], busy: bool) -> float:
    """Seconds of a training in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    command = [sys.executable, "-m", "benchmarks.numerics", "train"]
    loop = [sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(loop) if busy else nullcontext() as other:
        try:
            done = subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=True)
        finally:
            if other is not None:
                other.kill()
    return float(done.stdout.split()[-1])


def train() -> None:
    """Train the original model for a while; print the seconds."""
    from debugset.base.params import load
    from debugset.images.sets import open_set
    from debugset.models.params import OriginalParams
    from debugset.training.fitting import fit_fresh, whole_set
    from debugset.training.recipe import Recipe

    params, recipe = load("original", OriginalParams), load("recipe", Recipe).model_copy(update={"steps": STEPS})
    images = open_set("data/sets/train")
    start = time.perf_counter()
    fit_fresh(params.architecture, whole_set(images), images.classes, recipe, params.random_state)
    print(time.perf_counter() - start)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        train() if sys.argv[1:] == ["train"] else main()
