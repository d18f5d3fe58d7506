"""Picking at the paper's size.

What: `pick_by_class` on 160 classes of 5,950 images x 384 features with 1,031 seeds (6.44 a class), 4 picks a
    seed for de-val, then 46 for debug-train; and `pick_neighbours` on the unlabelled problem, 1,031 seeds
    against 952,022 x 384, 50 picks a seed.
Against: a target of 10 s for the first; for the second the bare distance product: the blocked float32 matrix
    product of the same shape plus the squared norms, nothing kept. At most three times that and under 6 GiB.
On: a Gaussian mixture of 160 unit-variance clusters around centres of unit variance, float32, memory-mapped
    from a temporary folder. The product and the picking are timed in turn, three times; the ratio is the median.

Run it as `env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE PYTHONPATH=src python benchmarks/picks.py`: these two
variables would choose slower kernels.
"""

import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
from threadpoolctl import threadpool_info

from debugset.picks import pick_by_class, pick_neighbours

CLASSES, PER_CLASS, POOL, SEEDS, WIDTH = 160, 5_950, 952_022, 1_031, 384
ROUNDS, BLOCK = 3, 2_048


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def peak() -> float:
    """Peak resident memory in GiB, the mapped pages of the pool included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def write_pool(path: Path, generator: np.random.Generator, centres: np.ndarray) -> np.ndarray:
    """The pool, class after class, as a memory map; the last 22 images belong to the last class."""
    pool = np.lib.format.open_memmap(path, "w+", np.float32, (POOL, WIDTH))
    for label in range(CLASSES):
        rows = slice(label * PER_CLASS, POOL if label == CLASSES - 1 else (label + 1) * PER_CLASS)
        pool[rows] = generator.standard_normal(pool[rows].shape, np.float32) + centres[label]
    pool.flush()
    del pool
    return np.load(path, mmap_mode="r")


def weak_labels(seeds: np.ndarray, seed_labels: np.ndarray, pool: np.ndarray, pool_labels: np.ndarray) -> None:
    taken = np.zeros(len(pool), bool)
    for per_seed in (4, 46):
        picks = pick_by_class(seeds, seed_labels, pool, pool_labels, per_seed, exclude=taken)
        assert len(picks.image) == per_seed * SEEDS
        taken[picks.image] = True


def bare_product(seeds: np.ndarray, pool: np.ndarray) -> None:
    for start in range(0, len(pool), BLOCK):
        block = np.asarray(pool[start : start + BLOCK])
        block @ seeds.T
        np.einsum("ij,ij->i", block, block)


def main() -> None:
    kernels = {info["architecture"] for info in threadpool_info() if info["user_api"] == "blas"}
    machine = f"{os.cpu_count()} cores, {platform.machine()}, load average {os.getloadavg()[0]:.1f} at the start"
    print(f"{machine}, numpy {np.__version__}, BLAS kernel {', '.join(kernels)}")
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((CLASSES, WIDTH), np.float32)
    seed_labels = np.sort(np.arange(SEEDS) % CLASSES)
    seeds = generator.standard_normal((SEEDS, WIDTH), np.float32) + centres[seed_labels]
    pool_labels = np.minimum(np.arange(POOL) // PER_CLASS, CLASSES - 1)
    with tempfile.TemporaryDirectory() as folder:
        pool = write_pool(Path(folder) / "pool.npy", generator, centres)
        bare_product(seeds, pool)  # warms the page cache
        times = [seconds(lambda: weak_labels(seeds, seed_labels, pool, pool_labels)) for _ in range(ROUNDS)]
        print(f"weak labels, {CLASSES} classes x {PER_CLASS} x {WIDTH}, {SEEDS} seeds, k = 4 then 46")
        print(f"  seconds: {', '.join(f'{value:.2f}' for value in times)} (target: at most 10)")
        print(f"no labels, {SEEDS} seeds against {POOL} x {WIDTH}, k = 50")
        ratios = []
        for _ in range(ROUNDS):
            bare = seconds(lambda: bare_product(seeds, pool))
            picking = seconds(lambda: pick_neighbours(seeds, pool, 50))
            ratios.append(picking / bare)
            searching = seconds(lambda: faiss.knn(seeds, pool, 50))
            print(
                f"  bare product {bare:.2f} s, picking {picking:.2f} s, ratio {ratios[-1]:.2f}; "
                f"faiss.knn, float32 neighbours alone, {searching:.2f} s"
            )
        print(f"  median ratio {statistics.median(ratios):.2f} (target: at most 3)")
        mapped = pool.nbytes / 2**30
        print(f"peak memory {peak():.2f} GiB, {mapped:.2f} of them the mapped pool (target: under 6)")


if __name__ == "__main__":
    main()
