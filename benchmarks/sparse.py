"""What sparse decision layers cost, and how near the optimum they come.

What: processor seconds of one thread for a path of 100 lambdas, alpha 0.99, to 1e-3 of the largest, dense end apart.
Against: glm-saga 0.1.2 as the paper runs it (rate 0.1, tolerance 1e-4, look-behind 3, batches of 256), scikit-learn's
saga on every fifth lambda, FISTA stopped where its KKT residual is 1e-2 lambda. Errors are shares of the objective
above that of this solver in float64 with a tolerance of 1e-9. Where a solver's time is over, the lambdas that are
missing are taken to last as long as those that were done.
On: `synthetic`, 10,000 x 512 features after a ReLU, 100 classes; `original` and `robust`, the default run's features.
The last output is committed beside this file, with its machine.

    pip install --no-deps --target SOMEWHERE glm_saga==0.1.2
    PYTHONPATH=SOMEWHERE python -m benchmarks.sparse synthetic original robust steps wide > benchmarks/sparse.txt
    python -m benchmarks.sparse memory >> benchmarks/sparse.txt
    python -m benchmarks.sparse original robust --only ours --portable >> benchmarks/sparse.txt

Memory is measured in a process of its own, for what was freed before stays with it. `--portable` sets the numerics of
`docs/numerics.md`; `--only ours` leaves the other solvers out.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
import warnings
from pathlib import Path

PARTS = ("synthetic", "original", "robust", "steps", "memory", "wide")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--portable", action="store_true")
    parser.add_argument("--only", choices=["ours"])
    parser.add_argument("--features", type=Path, help="a folder of {model}_train.npy and labels_train.npy")
    return parser.parse_args()


ASKED = arguments()
if ASKED.portable:
    from debugset.base.numerics import make_portable

    make_portable(os.environ)  # before the libraries are loaded
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "DEBUGSET_WORKERS": "1"}

import numpy as np  # noqa: E402
import torch  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

from debugset.base.numerics import cpu_name  # noqa: E402
from debugset.base.paths import SETS, TRAIN  # noqa: E402
from debugset.features.store import open_features  # noqa: E402
from debugset.images.sets import open_set  # noqa: E402
from debugset.sparse.elastic_net import elastic_net_path  # noqa: E402
from tests.reference import elastic_net as naive  # noqa: E402

ALPHA, EPSILON, LAMBDAS = 0.99, 1e-3, 100
SECONDS = 45.0  # for each of the other solvers; what then is missing is extrapolated


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    numerics = "portable" if ASKED.portable else "native"
    print(f"{cpu_name()}, one thread, numerics {numerics}, load {os.getloadavg()[0]:.1f} at the start", flush=True)
    elastic_net_path(*synthetic(300, 20, 3), n_lambdas=5, epsilon=0.1)  # compiles
    for part in ASKED.parts:
        {"steps": steps, "memory": memory, "wide": wide}.get(part, lambda name=part: solvers(name))()


def synthetic(n: int, d: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Features after a ReLU; a tenth of them tells each class from the others."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(classes, d)) * (rng.random((classes, d)) < 0.1)
    labels = rng.integers(0, classes, n)
    return np.maximum(centres[labels] + rng.normal(size=(n, d)), 0).astype(np.float32), labels


def problem(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels of a part."""
    if name == "synthetic":
        return synthetic(10_000, 512, 100)
    if ASKED.features:
        return np.load(ASKED.features / f"{name}_train.npy"), np.load(ASKED.features / "labels_train.npy")
    images = open_set(SETS / TRAIN)
    return open_features(name, images)[:], images.labels


def solvers(name: str) -> None:
    """Time and error of every solver on one problem."""
    features, labels = problem(name)
    print(f"{name}: {len(features)} x {features.shape[1]}, {labels.max() + 1} classes, {LAMBDAS} lambdas")
    options = {"n_lambdas": LAMBDAS, "epsilon": EPSILON, "alpha": ALPHA, "dense_end": False}
    start = time.process_time()
    path = elastic_net_path(features, labels, **options)
    ours = time.process_time() - start
    exact = elastic_net_path(features.astype(np.float64), labels, tolerance=1e-9, **options)
    x = naive.standardise(features.astype(np.float64))
    best, errors, violations = [], [], []
    for place, strength in enumerate(path.lambdas):  # those of the exact path are others in the sixth digit
        best.append(naive.objective(x, labels, *standardised(exact, place), strength, ALPHA))
        found = standardised(path, place)
        errors.append(naive.objective(x, labels, *found, strength, ALPHA) / best[-1] - 1)
        violations.append(naive.kkt(x, labels, *found, strength, ALPHA) / strength)
    tell("ours", ours, LAMBDAS, errors, violations)
    print(f"    {path.steps.sum()} steps, {path.features_per_class[-1]:.1f} features a class at the smallest lambda")
    start = time.process_time()
    dense = elastic_net_path(features, labels, **(options | {"dense_end": True}))
    print(f"    with the dense end {time.process_time() - start:.1f} s, {dense.steps[-1]} steps there")
    if ASKED.only:
        return
    for solver, every in ((glm_saga, 1), (scikit_learn, 5), (fista, 1)):
        compare(solver, x, labels, path.lambdas[::every], best[::every], ours, every)


def standardised(path, place) -> tuple[np.ndarray, np.ndarray]:
    """Weights and bias for standardised features."""
    layer = path.layer(place)
    return layer.importance, layer.logits(path.means[None])[0]


def compare(solver, x, labels, lambdas, best, ours, every) -> None:
    """Run a solver until its time is over."""
    seconds, errors, violations = [], [], []
    steps = solver(x, labels, lambdas)
    for strength, reference in zip(lambdas, best, strict=True):
        start = time.process_time()
        found = next(steps)
        seconds.append(time.process_time() - start)
        errors.append(naive.objective(x, labels, *found, strength, ALPHA) / reference - 1)
        violations.append(naive.kkt(x, labels, *found, strength, ALPHA) / strength)
        if sum(seconds) > SECONDS:
            break
    whole = sum(seconds) / len(seconds) * len(lambdas)
    name = solver.__name__ + (f", every {every}th lambda" if every > 1 else "")
    tell(name, sum(seconds), len(seconds), errors, violations)
    how = "" if len(seconds) == len(lambdas) else f", extrapolated from {len(seconds)} of {len(lambdas)} lambdas"
    print(f"    {whole / ours:.1f} times ours{how}", flush=True)


def tell(name, seconds, count, errors, violations) -> None:
    print(
        f"  {name:32} {seconds:7.1f} s for {count} lambdas, relative error {np.median(errors):.0e} (median) to "
        f"{np.max(errors):.0e}, KKT residual up to {np.max(violations):.2g} lambda",
        flush=True,
    )


def glm_saga(x, labels, lambdas):
    """The paper's solver, warm-started, as its own path is."""
    try:
        from glm_saga.elasticnet import IndexedTensorDataset, train_saga
    except ImportError:
        sys.exit("glm_saga is missing: pip install --no-deps --target SOMEWHERE glm_saga==0.1.2, PYTHONPATH=SOMEWHERE")
    torch.manual_seed(0)
    data = IndexedTensorDataset(torch.from_numpy(x).float(), torch.from_numpy(labels))
    loader = torch.utils.data.DataLoader(data, 256, shuffle=True)
    layer = torch.nn.Linear(x.shape[1], labels.max() + 1)
    torch.nn.init.zeros_(layer.weight), torch.nn.init.zeros_(layer.bias)
    state = None
    for strength in lambdas:
        state = train_saga(layer, loader, 0.1, 2000, strength, ALPHA, group=False, state=state, lookbehind=3,
                           n_ex=len(x), n_classes=layer.out_features, logger=lambda text: None)  # fmt: skip
        yield layer.weight.detach().double().numpy().T, layer.bias.detach().double().numpy()


def scikit_learn(x, labels, lambdas):
    """Saga at its default tolerance, warm-started."""
    saga = LogisticRegression(solver="saga", l1_ratio=ALPHA, warm_start=True, max_iter=2000, random_state=0)
    values = x.astype(np.float32)
    for strength in lambdas:
        saga.set_params(C=1 / (len(x) * strength)).fit(values, labels)
        yield saga.coef_.T.astype(np.float64), saga.intercept_.astype(np.float64)


def fista(x, labels, lambdas):
    """The naive twin, in float64; half of its products only look where it stands."""
    classes = labels.max() + 1
    weights, bias = np.zeros((x.shape[1], classes)), np.log(np.bincount(labels) / len(labels))
    for strength in lambdas:
        weights, bias = naive.fista(x, labels, weights, bias, strength, ALPHA, violation=1e-2 * strength)
        yield weights, bias


def steps() -> None:
    """Steps for n and four times n images."""
    for n in (10_000, 40_000):
        features, labels = synthetic(n, 512, 100)
        start = time.process_time()
        path = elastic_net_path(features, labels, n_lambdas=30, epsilon=1e-2, dense_end=False)
        spent, count = time.process_time() - start, path.steps.sum()
        print(f"steps: {n} x 512, 100 classes, 30 lambdas: {count} steps, {spent / count:.3f} s a step", flush=True)


def memory() -> None:
    """Peak memory against the formula, ImageNet's size divided by 12, 4 and 8 (images, features, classes)."""
    n, d, classes = 96_000, 512, 125
    labels = np.random.default_rng(0).integers(0, classes, n)
    with tempfile.TemporaryDirectory() as folder:
        file = np.lib.format.open_memmap(f"{folder}/features.npy", "w+", np.float16, (n, d))
        for start in range(0, n, 1000):  # in blocks: their making must not be the peak
            noise = np.random.default_rng(start).normal(size=(1000, d))
            file[start : start + 1000] = np.maximum(noise + 2 * np.eye(classes, d)[labels[start : start + 1000]], 0)
        del file
        mapped = np.load(f"{folder}/features.npy", mmap_mode="r")
        before = resident()
        for kept in (False, True):
            path = elastic_net_path(mapped, labels, n_lambdas=3, epsilon=0.5, keep_logits=kept, dense_end=False)
            models = 8 * classes * (path.features_per_class[-1] + 1) ** 2
            expected = 2 * n * d + min(4 * n * (d + 1), 2**30) + 8 * 10 * d * classes + models
            expected += 4 * 2048 * (d + 4 * classes) + kept * 12 * n * classes
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
            print(
                f"memory: {n} x {d} float16, {classes} classes, logits {'kept' if kept else 'not kept'}: "
                f"{peak / 2**20:.0f} MiB more than before, {expected / 2**20:.0f} by the formula",
                flush=True,
            )


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def wide() -> None:
    """The first 20 of 100 lambdas, as many features and classes as ImageNet has."""
    features, labels = synthetic(8000, 2048, 1000)
    start = time.process_time()
    path = elastic_net_path(features, labels, n_lambdas=20, epsilon=EPSILON ** (19 / 99), dense_end=False)
    print(
        f"wide: 8,000 x 2,048, 1,000 classes, 20 lambdas: {time.process_time() - start:.0f} s, "
        f"{path.steps.sum()} steps, {path.features_per_class[-1]:.1f} features a class, "
        f"KKT residual up to {path.kkt.max():.2g} lambda"
    )


if __name__ == "__main__":
    main()
