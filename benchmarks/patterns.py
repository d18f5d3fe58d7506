"""Claim: inference patterns of a batch are many times faster than one backward pass for each image and attribute.

Measures: images a second of `debugset.relations.patterns.inference_patterns` for all attributes, and the memory that
it adds at its peak by batch size.
Against: autograd through the whole network, one backward pass an image and attribute, as the paper's equation 2 reads.
On: small AlexNet and torchvision's AlexNet, first convolution, 11 attributes; random weights and images; on a CPU,
both ways in turns.

    PYTHONPATH=src python -m benchmarks.patterns > benchmarks/patterns.txt
"""

import resource
import statistics
import subprocess
import sys
import time

import torch
from torch import Tensor

from debugset.models.classifier import Classifier, build
from debugset.models.registry import Architecture
from debugset.relations import alexnet  # noqa: F401 - it makes two names known to timm
from debugset.relations.patterns import inference_patterns

ATTRIBUTES, BATCH, TURNS = 11, 32, 5
NETWORKS = {"small_alexnet": (64, 16), "alexnet": (224, 2)}  # side, images that the slow way is timed on
LAYER = "backbone.features.0"


def network(name: str, side: int) -> Classifier:
    """A network with random weights, in evaluation mode."""
    torch.manual_seed(0)
    return build(Architecture(name, "scratch", side), ATTRIBUTES).eval()


def one_by_one(scores: Classifier, pixels: Tensor) -> list[Tensor]:
    """The gradient of each image's each attribute, by a backward pass of its own."""
    kept: list[Tensor] = []
    layer = scores.get_submodule(LAYER)
    handle = layer.register_forward_hook(lambda *ran: kept.append(ran[2]))
    found = []
    for image in pixels.split(1):
        for attribute in range(ATTRIBUTES):
            kept.clear()
            score = scores(image)[0, attribute]
            found.append(torch.autograd.grad(score, kept[0])[0])
    handle.remove()
    return found


def rates(name: str) -> tuple[float, float]:
    """Images a second, one by one and batched, medians of turns."""
    side, few = NETWORKS[name]
    scores, pixels = network(name, side), torch.rand(BATCH, 3, side, side)
    slow, fast = [], []
    for turn in range(TURNS + 1):
        start = time.perf_counter()
        one_by_one(scores, pixels[:few])
        middle = time.perf_counter()
        inference_patterns(scores, LAYER, pixels)
        end = time.perf_counter()
        if turn:  # the first one warms up
            slow.append(few / (middle - start))
            fast.append(BATCH / (end - middle))
    return statistics.median(slow), statistics.median(fast)


def peak(batch: int) -> float:
    """What batches of one size add to a process's peak of memory, MiB; a process of its own."""
    code = f"from benchmarks.patterns import added; print(added({batch}))"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def added(batch: int) -> float:
    """The growth of this process's peak of memory over ten batches, MiB."""
    side, _ = NETWORKS["small_alexnet"]
    scores = network("small_alexnet", side)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(10):
        inference_patterns(scores, LAYER, torch.rand(batch, 3, side, side))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    """Print both rates, their ratio, and the memory by batch size."""
    for name in NETWORKS:
        slow, fast = rates(name)
        print(
            f"{name}: one by one {slow:.1f} images/s, batched {fast:.1f} images/s, ratio {fast / slow:.1f}", flush=True
        )
    for batch in (16, 64, 256):
        print(f"small_alexnet, ten batches of {batch}: {peak(batch):.0f} MiB more at the peak")


if __name__ == "__main__":
    main()
