"""Attribute sets small enough for tests, and settings of a small study."""

import numpy as np
import pandas as pd
import torch

from debugset.datasets import outfits
from debugset.datasets.outfits import OutfitsParams, draw_outfits
from debugset.images.pixels import png_file
from debugset.images.sets import attribute_columns, open_set, write_set
from debugset.models.classifier import build
from debugset.relations.mining import Network
from debugset.relations.networks import architecture
from debugset.relations.params import AttributesParams, RelationsParams
from tests.datasets.tiny import fake_garments

OUTFITS = OutfitsParams(
    source="outfits", random_state=0, train=60, test=30, empty_shared=0.35, empty_own=0.6, noise=0.2
)


def attributes_params(**changes):
    settings = {"architecture": "small_alexnet", "side": 16, "loss": "logistic", "images": 32, "pairs": [], "taus": [],
                "random_states": [0], "steps": 6, "batch": 8, "peak_lr": 0.05, "warmup": 0.25, "momentum": 0.9,
                "weight_decay": 0.0, "augmentation": "none", "shift": 0, "precision": "fp32",
                "channels_last": False}  # fmt: skip
    return AttributesParams(**(settings | changes))


def relations_params(**changes):
    settings = {"truth": "outfits.csv", "layer": "backbone.features.0", "batch": 16, "images": 40, "mask": "greedy",
                "mask_images": 12, "mask_penalty": 0.1, "mask_block": 0.02, "bins": 40, "bandwidth": 0.05,
                "floor": 1e-4, "min_std": 0.05, "threshold": 0.2, "unrelated": "unrelated", "top": [1, 3],
                "test_images": 2, "maps": 2, "map_images": 3, "random_state": 0}  # fmt: skip
    return RelationsParams(**(settings | changes))


def few_garments():
    """Garments of every class in a mixed order, of which the last are the test's."""
    images, labels = fake_garments(20)
    order = np.random.default_rng(0).permutation(len(labels))
    return images[order], labels[order]


def outfit_sets(folder, monkeypatch, params=OUTFITS):
    """The outfit world's two sets, of few garments."""
    monkeypatch.setattr(outfits, "TEST_GARMENTS", 80)
    found = []
    for name in outfits.SETS:
        (folder / name).mkdir(parents=True)
        write_set(folder / name, draw_outfits(name, params, *few_garments()), ("image",))
        found.append(open_set(folder / name))
    return found


def outfits_stage(monkeypatch):
    """Run stage attributed; its progress bar is no generator to the type checker, so the records go without."""
    from stages import attributed as stage

    monkeypatch.setattr(stage, "progress", lambda records, *_, **__: records)
    stage.main()


def halves_set(folder, count=48, random_state=0, side=16):
    """Images whose left half is bright, whose right half is bright, or both or neither; and these two attributes."""
    rng = np.random.default_rng(random_state)
    shown = np.where(rng.random((count, 2)) < 0.5, 1, -1)
    pixels = rng.integers(0, 60, (count, side, side, 3)).astype(np.uint8)
    pixels[shown[:, 0] > 0, :, : side // 2] += 150
    pixels[shown[:, 1] > 0, :, side // 2 :] += 150
    return attributed_set(folder, pixels, pd.DataFrame(shown, columns=["left", "right"]))


def attributed_set(folder, images, attributes):
    """A set of images (bytes, height x width x 3) with attributes."""
    folder.mkdir(parents=True, exist_ok=True)
    records = []
    for place, (image, row) in enumerate(zip(images, attribute_columns(attributes).to_dict("records"), strict=True)):
        records.append(({"id": f"{place:05d}", "label": 0, "shard": "0.tar", **row}, png_file(image)))
    write_set(folder, records, ("image",))
    return open_set(folder)


def untrained(attributes, side=64, random_state=0, layer="backbone.features.0"):
    """A small AlexNet with random weights, ready to look into."""
    described = architecture(attributes_params(side=side))
    torch.manual_seed(random_state)
    return Network(build(described, attributes).eval(), described, layer)
