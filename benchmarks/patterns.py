"""Claim: inference patterns of a batch are many times faster than one backward pass for each image and attribute.

Measures: images a second of `debugset.relations.patterns.inference_patterns` for all attributes, and the memory that
it adds at its peak by batch size.
Against: autograd through the whole network, one backward pass an image and attribute, as the paper's equation 2 reads.
On: small AlexNet and torchvision's AlexNet, first convolution, 11 attributes; random weights and images; on a CPU,
both ways in turns.

    PYTHONPATH=src python -m benchmarks.patterns > benchmarks/patterns.txt
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

from debugset.models.classifier import Classifier, build
from debugset.models.registry import Architecture
from debugset.relations.networks import register
from debugset.relations.patterns import inference_patterns

ATTRIBUTES, BATCH, TURNS = 11, 32, 5
NETWORKS = {"small_alexnet": (64, 16), "alexnet": (224, 2)}  # side, images that the slow way is timed on
LAYER = "backbone.features.0"


def network(name: str, side: int) -> Classifier:
    """A network with random weights, in evaluation mode."""
    register()
    torch.manual_seed(0)
    return build(Architecture(name, "scratch", side), ATTRIBUTES).eval()


def one_by_one(scores: Classifier, pixels: Tensor, *, shared: bool) -> None:
    """The gradient of each image's each attribute, by a backward pass of its own.

    Args:
        scores: the network.
        pixels: the images.
        shared: whether an image's attributes share its forward pass.
    """
    kept: list[Tensor] = []
    handle = scores.get_submodule(LAYER).register_forward_hook(lambda *ran: kept.append(ran[2]))
    for image in pixels.split(1):
        for attribute in range(ATTRIBUTES):
            if attribute == 0 or not shared:
                kept.clear()
                of_image = scores(image)[0]
            torch.autograd.grad(of_image[attribute], kept[0], retain_graph=shared)
    handle.remove()


def rates(name: str) -> tuple[float, float, float]:
    """Images a second, medians of turns: a forward pass each, forward passes shared, batched."""
    side, few = NETWORKS[name]
    scores, pixels = network(name, side), torch.rand(BATCH, 3, side, side)
    ways = (
        (few, lambda: one_by_one(scores, pixels[:few], shared=False)),
        (few, lambda: one_by_one(scores, pixels[:few], shared=True)),
        (BATCH, lambda: inference_patterns(scores, LAYER, pixels)),
    )
    speeds: list[list[float]] = [[] for _ in ways]
    for turn in range(TURNS + 1):
        for speed, (images, work) in zip(speeds, ways, strict=True):
            start = time.perf_counter()
            work()
            if turn:  # the first one warms up
                speed.append(images / (time.perf_counter() - start))
    each, shared, batched = map(statistics.median, speeds)
    return each, shared, batched


def peak(batch: int) -> float:
    """What batches of one size add to a process's peak of memory, MiB; a process of its own."""
    code = f"from benchmarks.patterns import added_memory; print(added_memory({batch}))"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def added_memory(batch: int) -> float:
    """How far this process's memory rises above what it holds before, over ten batches, MiB; Linux only."""
    side, _ = NETWORKS["small_alexnet"]
    scores, pixels = network("small_alexnet", side), torch.rand(batch, 3, side, side)
    Path("/proc/self/clear_refs").write_text("5")  # the peak becomes what is held now
    before = _peak_kib()
    for _ in range(10):
        inference_patterns(scores, LAYER, pixels)
    return (_peak_kib() - before) / 1024


def _peak_kib() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def main() -> None:
    """Print both rates, their ratio, and the memory by batch size."""
    for name in NETWORKS:
        each, shared, batched = rates(name)
        print(f"{name}: batched {batched:.1f} images/s, a ratio of {batched / each:.1f} to", end=" ")
        print(f"a pass for each attribute, {batched / shared:.1f} to the same with the forward pass shared", flush=True)
    for batch in (16, 64, 256):
        print(f"small_alexnet, ten batches of {batch}: {peak(batch):.0f} MiB more at the peak")


if __name__ == "__main__":
    main()
