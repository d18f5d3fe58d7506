"""A small world for studies: images of three classes, a layer of a few features a class, and its errors."""

import numpy as np
import pandas as pd

from debugset.images.pixels import png_file
from debugset.images.sets import open_set, write_set
from debugset.sparse.layer import DecisionLayer
from debugset.studies.making import Inputs, Request, make_kit

CLASSES = ("sneaker", '<b title="bag">bag</b>', "trousers")  # none of these names may be on a page that hides them
N_FEATURES = 12


def make_layer():
    """Each class uses three to six of twelve features, some against it, feature 11 not at all."""
    weights = np.zeros((N_FEATURES, 3))
    weights[[0, 1, 2, 3, 4, 5, 6], 0] = 1.2, 0.9, 0.7, -0.6, 0.5, 0.3, 0.2
    weights[[2, 6, 7], 1] = 0.8, 1.1, -0.4
    weights[[0, 8, 9, 10], 2] = -0.8, 1.0, 0.6, 0.5
    return DecisionLayer(weights, np.array([-1.0, 0.0, 0.3]), np.full(N_FEATURES, 0.8), np.full(N_FEATURES, 0.6))


def make_features(count, random_state):
    """Features as they are after a ReLU, many of them zero."""
    return np.random.default_rng(random_state).normal(0.7, 0.9, (count, N_FEATURES)).clip(0).astype(np.float32)


def make_set(folder, count, random_state=0):
    """Images of random pixels, 8 px a side, no two of them alike; their labels are drawn."""
    rng = np.random.default_rng([random_state, 1])
    labels = rng.integers(3, size=count)
    records = []
    for place in range(count):
        pixels = rng.integers(256, size=(8, 8, 3)).astype(np.uint8)
        name = f"{folder.name}-{place:04}"
        records.append(({"id": name, "label": int(labels[place]), "shard": "0.tar"}, png_file(pixels)))
    folder.mkdir(parents=True)
    write_set(folder, records, CLASSES)
    return open_set(folder)


def make_errors(layer, features, labels):
    """The wrong predictions that one feature, set to zero, corrects; found by trying each."""
    rows = []
    for row, (image, label) in enumerate(zip(np.asarray(features, np.float64), labels, strict=True)):
        predicted = int(layer.predict(image[None])[0])
        for feature in range(N_FEATURES):
            removed = image.copy()
            removed[feature] = 0
            if predicted != label and layer.predict(removed[None])[0] == label:
                rows.append((row, int(label), predicted, feature))
                break
    return pd.DataFrame(rows, columns=["row", "label", "predicted", "blamed"])


def make_inputs(folder, count=300):
    """All that a kit of any kind is made of; images in ``folder / "diagnosis"``, pictures in ``folder / "test"``."""
    layer = make_layer()
    images, pictures = make_set(folder / "diagnosis", count), make_set(folder / "test", 60, 1)
    features = make_features(count, 0)
    errors = make_errors(layer, features, images.labels)
    return Inputs(images, features, pictures, make_features(60, 1), layer, errors=errors)


def toy_kit(inputs, kind="simulatability", tasks=6, **changes):
    """A kit on these inputs."""
    return make_kit(Request(kind, "robust", "sparse", tasks, 0)._replace(**changes), inputs)
