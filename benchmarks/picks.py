"""Picking at the paper's size.

What: `pick_by_shard` on 160 classes of 5,950 images x 384 features in ten shards with 1,031 seeds (6.44 a
    class), 4 picks a seed for de-val, then 46 for debug-train: with an empty spool, with the spool of the first
    eight shards (the pool grew by a quarter), and with all of it. `pick_neighbours` on the unlabelled problem,
    1,031 seeds against 952,022 x 384, 50 picks a seed; and what a grown pool costs there by `pick_by_shard`.
Against: a target of 10 s for the first; for the unlabelled problem the bare distance product: the blocked
    float32 matrix product of the same shape plus the squared norms, nothing kept. At most three times that and
    under 6 GiB.
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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import faiss
import numpy as np
from threadpoolctl import threadpool_info

from debugset.dcd.picks import pick_by_shard, pick_neighbours
from debugset.features.store import Features, Part

CLASSES, POOL, SEEDS, WIDTH = 160, 952_022, 1_031, 384
SHARDS, BEFORE = 10, 8  # a pool of eight shards that grows by a quarter
ROUNDS, BLOCK = 3, 2_048


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def peak() -> float:
    """Peak resident memory in GiB, the mapped pages of the pool included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def write_pool(path: Path, generator: np.random.Generator, centres: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The pool as a memory map; its classes are mixed, as in shards of a time."""
    pool = np.lib.format.open_memmap(path, "w+", np.float32, (POOL, WIDTH))
    for start in range(0, POOL, BLOCK):
        rows = slice(start, start + BLOCK)
        pool[rows] = generator.standard_normal(pool[rows].shape, np.float32) + centres[labels[rows]]
    pool.flush()
    del pool
    return np.load(path, mmap_mode="r")


class Problem(NamedTuple):
    """The seeds, and the pool in shards."""

    seeds: np.ndarray
    seed_labels: np.ndarray
    pool: np.ndarray
    pool_labels: np.ndarray

    def pick(self, spool: Path, shares: Sequence[int], *, shards: int = SHARDS, weak_labels: bool = True) -> None:
        """Pick ``shares`` images a seed, one share after the other, from the first shards."""
        rows = np.array_split(np.arange(POOL), SHARDS)[:shards]
        parts = Features([Part(mine, self.pool[mine[0] : mine[-1] + 1], str(mine[0])) for mine in rows])
        labels, taken = self.pool_labels[: len(parts)], np.zeros(len(parts), bool)
        for share in shares:
            picks = pick_by_shard(
                self.seeds, self.seed_labels, parts, labels, share, spool,
                removed=np.zeros(len(parts), bool), taken=taken, weak_labels=weak_labels,
            )  # fmt: skip
            assert len(picks.image) == share * SEEDS
            taken[picks.image] = True


def grown(problem: Problem, scratch: Path, shares: Sequence[int], *, weak_labels: bool) -> None:
    """Print the seconds of picking with an empty spool, after growth by a quarter, and with nothing changed."""
    rows = []
    for number in range(ROUNDS):
        spool, all_new = scratch / f"grown-{weak_labels}-{number}", scratch / f"new-{weak_labels}-{number}"
        problem.pick(spool, shares, shards=BEFORE, weak_labels=weak_labels)
        rows.append([
            seconds(lambda place=place: problem.pick(place, shares, weak_labels=weak_labels))
            for place in (all_new, spool, spool)
        ])  # fmt: skip
        print("  empty spool {:.2f} s, grown by a quarter {:.2f} s, nothing new {:.2f} s".format(*rows[-1]))
    size = sum(file.stat().st_size for file in all_new.iterdir())
    ratios = [statistics.median(row[place] / row[0] for row in rows) for place in (1, 2)]
    print(
        f"  median ratios to the empty spool {ratios[0]:.2f} and {ratios[1]:.2f}; the spool has {size / 2**20:.0f} MiB"
    )


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
    pool_labels = generator.permutation(np.arange(POOL) % CLASSES)
    with tempfile.TemporaryDirectory() as folder:
        pool = write_pool(Path(folder) / "pool.npy", generator, centres, pool_labels)
        problem = Problem(seeds, seed_labels, pool, pool_labels)
        bare_product(seeds, pool)  # warms the page cache
        print(f"weak labels, {CLASSES} classes, {POOL} x {WIDTH} in {SHARDS} shards, {SEEDS} seeds, k = 4 then 46")
        grown(problem, Path(folder), (4, 46), weak_labels=True)
        print("  (target for the empty spool: at most 10 s)")
        print("no labels, the same pool and seeds, k = 50")
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
        print("no labels, by shard")
        grown(problem, Path(folder), (50,), weak_labels=False)
        mapped = pool.nbytes / 2**30
        print(f"peak memory {peak():.2f} GiB, {mapped:.2f} of them the mapped pool (target: under 6)")


if __name__ == "__main__":
    main()
