"""Counterfactuals by pasted patches: does a piece of what raises a class's feature turn other images into the class?

A square is cut where a feature's gradient is hottest, from the images that activate it most, and pasted into images
that the layer gets right (Wong et al. 2021, "ImageNet counterfactuals", where people chose the pattern). Any patch
covers much of an image, so two controls stand beside it: squares of the same images at a random place, and of random
images. For each victim all three are pasted at the same random place, and the first two come from the same image.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64, UInt8

from debugset.base.arrays import ArrayLike, as_labels
from debugset.base.progress import progress
from debugset.images.sets import ImageSet
from debugset.models.device import device
from debugset.models.outputs import outputs_of_pixels
from debugset.models.params import Precision
from debugset.models.registry import Architecture
from debugset.sparse.intervals import share_interval
from debugset.sparse.layer import DecisionLayer
from debugset.visuals.feature_pictures import Embedder, input_pixels, strongest_rows
from debugset.visuals.heatmaps import pixel_gradients

HOTTEST, RANDOM_PLACE, RANDOM_IMAGES = KINDS = ("hottest", "random_place", "random_images")
TRY_COLUMNS = ["kind", "class", "feature", "victim", "source", "flipped", "changed"]


class PatchTrial(NamedTuple):
    """How patches are tried."""

    side: float = 0.5  # of a patch, as a share of the input's
    features: int = 3  # of a class: the most important ones with a positive weight
    victims: int = 60  # of a feature, at most
    random_state: int = 0


class Patches(NamedTuple):
    """Squares to paste, one a victim."""

    sources: Int64[np.ndarray, " v"]  # rows of the images that they are cut from
    places: Int64[np.ndarray, "v 2"]  # their top and left there, px


class _Model(NamedTuple):
    """What decides on pasted images."""

    layer: DecisionLayer
    embedder: Embedder
    images: ImageSet
    precision: Precision


def paste_patches(
    layer: DecisionLayer,
    embedder: Embedder,
    images: ImageSet,
    predicted: Int64[np.ndarray, " n"] | ArrayLike,
    precision: Precision,
    trial: PatchTrial,
) -> pd.DataFrame:
    """Paste patches of each class's most important features into images of other classes.

    Args:
        layer: decides on the features of pasted images; its classes are those of the images.
        embedder: the model with its features of the images.
        images: of which patches are cut, and into which they are pasted.
        predicted: what the layer says of the images; victims are drawn from those that it gets right.
        precision: of the forward pass.
        trial: how large, how many.

    Returns:
        A row a try: kind (of `KINDS`), class (whose feature it is), feature, victim and source (image ids), flipped
        (to that class), changed (to any class but the victim's, that one included).

    Raises:
        ValueError: ``predicted`` has no label for each image, or a patch is not between 1 px and the whole image.
    """
    predicted = as_labels(predicted, "predicted", len(images))
    size = embedder.architecture.input_size
    side = round(trial.side * size)
    if not 1 <= side <= size:
        raise ValueError(f"trial: a side of {trial.side} is {side} of {size} px; pass a share of at most 1")
    right = np.flatnonzero(predicted == images.labels)
    targets = supporting_features(layer, trial.features)
    strongest = strongest_rows(embedder.features, [feature for _, feature in targets], np.arange(len(images)))
    model = _Model(layer, embedder, images, precision)
    parts = []
    for place, (class_, feature) in enumerate(progress(targets, "sparse: patches", unit=" features")):
        rng = np.random.default_rng([trial.random_state, class_, feature])  # the same whatever else is tried
        others = np.setdiff1d(right[images.labels[right] != class_], strongest[place])
        victims = rng.choice(others, min(trial.victims, len(others)), replace=False)
        if len(victims):
            parts += _tries(class_, feature, strongest[place], victims, side, model, rng)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=TRY_COLUMNS)


def patch_summary(tries: pd.DataFrame, resamples: int, random_state: int) -> pd.DataFrame:
    """How often each kind of patch flips images to the class of its feature, over all features.

    Args:
        tries: as `paste_patches` gives them.
        resamples: of the victims, behind each interval.
        random_state: of these.

    Returns:
        A row a kind: kind, tries, flipped (their share, NaN without tries), low and high (its 95 % interval, in which
        a victim of several tries is one image), changed (their share).
    """
    rows = []
    for kind in KINDS:
        mine = tries[tries["kind"] == kind]
        flipped, low, high = share_interval(mine["flipped"], mine["victim"], resamples, random_state)
        changed = float(mine["changed"].mean())
        rows.append(
            {"kind": kind, "tries": len(mine), "flipped": flipped, "low": low, "high": high, "changed": changed}
        )
    return pd.DataFrame(rows)


def supporting_features(layer: DecisionLayer, count: int) -> list[tuple[int, int]]:
    """Each class with each of its most important features of positive weight, at most ``count`` of them."""
    pairs = []
    for class_ in range(layer.weights.shape[1]):
        used = layer.used(class_)
        supporting = used[layer.weights[used, class_] > 0]
        pairs += [(class_, feature) for feature in supporting[:count].tolist()]
    return pairs


def hottest_squares(heat: Float[np.ndarray, "b h w"], side: int) -> Int64[np.ndarray, "b 2"]:
    """The top and left of each map's square with the largest sum; of equal ones the first, row by row."""
    sums = np.pad(heat.astype(np.float64).cumsum(axis=1).cumsum(axis=2), ((0, 0), (1, 0), (1, 0)))
    columns = sums[:, :, side:] - sums[:, :, :-side]
    squares = columns[:, side:] - columns[:, :-side]
    first = squares.reshape(len(heat), -1).argmax(axis=1)
    return np.stack(np.unravel_index(first, squares.shape[1:]), axis=1)


def draw_patches(
    strongest: Int64[np.ndarray, " s"],
    hottest: Int64[np.ndarray, "s 2"],
    victims: Int64[np.ndarray, " v"],
    images: int,
    room: int,
    rng: np.random.Generator,
) -> dict[str, Patches]:
    """For each kind, the squares that the victims get.

    Args:
        strongest: rows of the images that activate the feature most.
        hottest: where each of them is hottest.
        victims: rows of the victims.
        images: how many there are; any but the victim is a random image.
        room: the highest top and left that a square may have, px.
    """
    chosen = rng.integers(len(strongest), size=len(victims))
    anywhere = rng.integers(room + 1, size=(len(victims), 2))
    others = (victims + rng.integers(1, images, size=len(victims))) % images
    return {
        HOTTEST: Patches(strongest[chosen], hottest[chosen]),
        RANDOM_PLACE: Patches(strongest[chosen], anywhere),
        RANDOM_IMAGES: Patches(others, anywhere),
    }


def paste(
    victims: UInt8[np.ndarray, "v h w 3"],
    sources: UInt8[np.ndarray, "v h w 3"],
    places: Int64[np.ndarray, "v 2"],
    targets: Int64[np.ndarray, "v 2"],
    side: int,
) -> UInt8[np.ndarray, "v h w 3"]:
    """The victims with a square of their source each, cut at its place, pasted at the victim's."""
    pasted = victims.copy()
    for image, source, (top, left), (new_top, new_left) in zip(pasted, sources, places, targets, strict=True):
        square = source[top : top + side, left : left + side]
        image[new_top : new_top + side, new_left : new_left + side] = square
    return pasted


def _tries(
    class_: int,
    feature: int,
    strongest: Int64[np.ndarray, " s"],
    victims: Int64[np.ndarray, " v"],
    side: int,
    model: _Model,
    rng: np.random.Generator,
) -> list[pd.DataFrame]:
    """The tries of one feature, a frame a kind."""
    classifier, architecture, _ = model.embedder
    pixels = input_pixels(model.images, strongest, architecture).to(device())
    heat = pixel_gradients(classifier, pixels, feature).float().cpu().numpy()
    room = architecture.input_size - side
    drawn = draw_patches(strongest, hottest_squares(heat, side), victims, len(model.images), room, rng)
    targets = rng.integers(room + 1, size=(len(victims), 2))
    before = _bytes(model.images, victims, architecture)
    ids, labels, classes = model.images.ids, model.images.labels, model.images.classes
    parts = []
    for kind, (sources, places) in drawn.items():
        pasted = paste(before, _bytes(model.images, sources, architecture), places, targets, side)
        found = model.layer.predict(outputs_of_pixels(classifier.features, pasted, architecture, model.precision))
        told = {"kind": kind, "class": classes[class_], "feature": feature, "victim": ids[victims]}
        told |= {"source": ids[sources], "flipped": found == class_, "changed": found != labels[victims]}
        parts.append(pd.DataFrame(told, columns=TRY_COLUMNS))
    return parts


def _bytes(images: ImageSet, rows: Int64[np.ndarray, " r"], architecture: Architecture) -> UInt8[np.ndarray, "r h w 3"]:
    """Images as the architecture sees them."""
    pixels = input_pixels(images, rows, architecture)
    return pixels.mul(255).round().byte().permute(0, 2, 3, 1).numpy()
