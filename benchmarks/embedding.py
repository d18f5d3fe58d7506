"""Embedding from files: folded batch norm, batches that fit the caches, memory kept; against what was and a plain loop.

What: images a second from an image set's files to features, by EfficientNet-Lite0 at 96 px; the largest difference.
Against: the same reader with the model as it is and batches of 256, as debugset did before; timm's model and transforms
in a loop over a DataLoader of two processes, with batches of 256 and of 64.
On: 2,048 images of the default's `diagnosis`, so run `dvc repro prepare model-foundation` first. Each measurement is a
process of its own, by the numerics of params.yaml; all ways are taken in turn, three rounds in one run.

Run it as `python -m benchmarks.embedding`. It takes about three minutes.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from debugset.base.numerics import PORTABLE, cpu_name, read_mode, settle

ROUNDS, IMAGES = 3, 2048


def main() -> None:
    """Print a line a way: its speed, the ratio, the largest difference of features."""
    import numpy as np

    speeds: dict[str, list[float]] = {name: [] for name in WAYS}
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "features.npy"
        for _ in range(ROUNDS):
            for name in WAYS:
                command = [sys.executable, "-m", "benchmarks.embedding", name, str(file)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                speeds[name].append(float(done.stdout.split()[-1]))
                found[name] = np.load(file)
    mine = median(speeds["debugset"])
    print(f"{cpu_name()}, {os.cpu_count()} processors, numerics {read_mode()}, {IMAGES} images, median of {ROUNDS}")
    for name, values in speeds.items():
        difference = np.abs(found[name] - found["debugset"]).max()
        print(
            f"{name:26} {median(values):5.0f} images/s; debugset is {mine / median(values):.2f} times as fast; "
            f"features differ by at most {difference:.1e}"
        )
    print(f"the largest feature is {np.abs(found['debugset']).max():.1f}")


def measure(name: str, file: Path) -> None:
    """Embed in one way; print images a second and keep the features."""
    way, batch = WAYS[name]
    if way is ours:
        settle()
    elif read_mode() == "portable":
        os.environ |= PORTABLE  # the others get the same kernels, but none of our ways with threads and memory
    import numpy as np

    from debugset.images.sets import open_set
    from debugset.models.classifier import load_model

    images = open_set("data/sets/diagnosis")
    run = way(*load_model(Path("models/foundation")), images, batch)
    run(8)
    start = time.perf_counter()
    features = run(IMAGES)
    print(IMAGES / (time.perf_counter() - start))
    np.save(file, features)


def ours(classifier, description, images, _batch):
    """What stage embed calls; the batch is its own."""
    import numpy as np

    from debugset.models.inference import prepare_for_inference
    from debugset.models.outputs import compute_outputs

    model = prepare_for_inference(classifier)
    return lambda count: compute_outputs(model.features, images, np.arange(count), description.architecture, "fp32")


def as_it_was(classifier, description, images, batch):
    """The model as it is."""
    import numpy as np
    import torch

    from debugset.models.outputs import pixel_batches

    classifier = classifier.to(memory_format=torch.channels_last)

    def run(count):
        found = []
        for pixels in pixel_batches(images, np.arange(count), description.architecture, batch):
            with torch.inference_mode():
                found.append(classifier.features(pixels.to(memory_format=torch.channels_last)).numpy())
        return np.concatenate(found)

    return run


def plain_loop(classifier, description, images, batch):
    """What people write: timm's transform in a data set, a loader of two processes."""
    import numpy as np
    import torch
    from timm.data import create_transform

    about = description.architecture
    transform = create_transform(
        about.input_size, mean=about.mean, std=about.std, interpolation=about.interpolation, crop_pct=about.crop
    )

    class Files(torch.utils.data.Dataset):
        def __init__(self, count):
            self.count = count

        def __len__(self):
            return self.count

        def __getitem__(self, row):
            return transform(images.image(row))

    def run(count):
        found = []
        for pixels in torch.utils.data.DataLoader(Files(count), batch, num_workers=2):
            with torch.inference_mode():
                maps = classifier.backbone.forward_features(pixels)
                found.append(classifier.backbone.forward_head(maps, pre_logits=True).numpy())
        return np.concatenate(found)

    return run


WAYS = {  # name: what embeds, batch
    "debugset": (ours, None),
    "as it was": (as_it_was, 256),
    "a plain loop of timm, 256": (plain_loop, 256),
    "a plain loop of timm, 64": (plain_loop, 64),
}

if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
