"""What stage sparse writes, made up."""

import numpy as np
import pandas as pd

from debugset.base.files import write_parquet
from tests.report.silhouettes import CLASSES, CONTEXTS, draw

LAYERS = [  # model, layer, features a class, accuracy on validation, test and diagnosis
    ("original", "sparse", 2.0, 0.9, 0.88, 0.66),
    ("original", "dense", 6.0, 0.91, 0.87, 0.67),
    ("original", "own", 6.0, np.nan, 0.89, 0.65),
    ("robust", "sparse", 3.0, 0.8, 0.78, 0.55),
    ("robust", "dense", 6.0, 0.82, 0.79, 0.58),
]
EXPLAINED = [(model, layer) for model, layer, *_ in LAYERS if layer != "own"]
WEIGHTS = [  # class, feature, weight, share; of the first model's chosen layer, in which trousers use no feature
    (0, 0, 2.25, 0.6),
    (0, 1, 1.5, 0.4),
    (2, 1, 2.0, 1.0),
    (3, 2, 1.0, 1.0),
    (3, 0, -0.5, 1.0),
    (4, 3, 1.0, 0.75),
    (4, 5, 0.25, 0.25),
]
PICTURED = [0, 1, 2, 3]  # features
CARDS = [  # label, predicted, removed features, and the contributions to both classes
    (0, 2, [1], [(1, 3.25)], [(0, 1.125), (1, 0.5)]),
    (3, 4, [3, 5], [(3, 1.5), (5, 0.75)], [(2, 0.75), (0, -0.25)]),
    (1, 0, [], [(0, 4.0), (1, 0.5)], []),
]


def write_sparse(root, rng, truth):
    """Layers of two models on six features, errors of the first one, and pictures of its features.

    Args:
        root: the folder that takes ``data``.
        rng: draws the pictures.
        truth: whether backgrounds can be exchanged, so that causes are known.
    """
    tables = {"path": _path(), "layers": _layers(), "weights": _weights(), "removal_shares": _removal_shares()}
    tables |= {"deletions": _deletions(), "cards": _cards(), "patches": _patches(), "pictures": _pictures(rng)}
    if truth:
        tables |= {"blame": _blame(), "swaps": _swaps()}
    for name, table in tables.items():
        write_parquet(root / f"data/sparse/{name}.parquet", table)


def _path():
    rows = []
    for model, lost in (("original", 0.0), ("robust", 0.1)):
        for place, features in enumerate((0.0, 1.0, 3.0, 6.0)):
            right = 0.2 if place == 0 else 0.7 + place / 20 - lost
            rows.append((place, features, right, right, right - 0.2, model))
    return pd.DataFrame(rows, columns=["place", "features", "validation", "test", "diagnosis", "model"])


def _layers():
    table = pd.DataFrame(LAYERS, columns=["model", "layer", "features", "validation", "test", "diagnosis"])
    return table.assign(kkt=np.where(table["layer"] == "own", np.nan, 0.005))


def _weights():
    table = pd.DataFrame(WEIGHTS, columns=["class", "feature", "weight", "share"])
    dense = table.assign(layer="dense", share=0.1)
    return pd.concat([table.assign(layer="sparse"), dense]).assign(model="original")


def _removal_shares():
    """Of the first model's chosen layer 40, 60 and 70 % are corrected; dense ones have less by chance."""
    rows = []
    for model, layer in EXPLAINED:
        for removal, less in (("zero", 0.0), ("mean", 0.1)):
            for removed, share in ((1, 0.4), (2, 0.6), (3, 0.7)):
                chance = removed / (10 if layer == "sparse" else 100)
                share = share - less
                rows.append((removed, 200, share, share - 0.05, share + 0.05, chance, layer, removal, model))
    columns = ["removed", "errors", "share", "low", "high", "chance", "layer", "removal", "model"]
    return pd.DataFrame(rows, columns=columns)


def _deletions():
    rows = []
    for model, layer in EXPLAINED:
        for counted_on, corrected in (("other", 11), ("same", 33)):
            rows.append((counted_on, 1, 1, 2, 20, corrected, 21, layer, model))
            rows.append((counted_on, 0, -1, -1, 1_030, corrected + 1, 1_040, layer, model))
    columns = ["counted_on", "deletion", "feature", "class", "blamed", "corrected", "broken", "layer", "model"]
    return pd.DataFrame(rows, columns=columns)


def _cards():
    rows = []
    for card, (label, predicted, removed, for_predicted, for_true) in enumerate(CARDS):
        about = {"card": card, "image_id": f"diagnosis-{label}-00{card}", "label": label, "predicted": predicted}
        amounts = dict(for_predicted)
        roles = {"removed": [(one, amounts[one]) for one in removed], "predicted": for_predicted, "true": for_true}
        for role, contributions in roles.items():
            for rank, (feature, amount) in enumerate(contributions):
                rows.append(about | {"role": role, "rank": rank, "feature": feature, "amount": amount})
    return pd.DataFrame(rows).assign(model="original")


def _patches():
    rows = []
    for layer in ("sparse", "dense"):
        for kind, flipped in (("hottest", 0.15), ("random_place", 0.12), ("random_images", 0.05)):
            rows.append((kind, 1_800, flipped, flipped - 0.01, flipped + 0.01, 0.5, layer, "original"))
    return pd.DataFrame(rows, columns=["kind", "tries", "flipped", "low", "high", "changed", "layer", "model"])


def _pictures(rng):
    rows = []
    for feature in PICTURED:
        for kind in ("activating", "heatmap", "gradient", "attack"):
            for rank in range(3):
                value = 2.5 - rank / 4 if kind in ("activating", "attack") else np.nan
                png = draw(feature % len(CLASSES), CONTEXTS[rank], rng)
                rows.append((kind, feature, rank, value, png, "original"))
    return pd.DataFrame(rows, columns=["kind", "feature", "rank", "value", "png", "model"])


def _blame():
    values = {
        "corrected_caused": (0.5, np.nan),
        "corrected_other": (0.2, np.nan),
        "hit_caused": (0.7, 0.125),
        "largest_caused": (0.65, 0.125),
        "hit_other": (0.45, 0.125),
        "factor": (2.5, np.nan),
    }
    parts = [_measures(values).assign(model=model, layer=layer) for model, layer in EXPLAINED]
    table = pd.concat(parts, ignore_index=True)
    return pd.concat([table.assign(removal=removal) for removal in ("zero", "mean")], ignore_index=True)


def _swaps():
    values = {
        "flips_unusual": (0.33, np.nan),
        "flips_usual": (0.02, np.nan),
        "flips_to_usual": (0.8, 0.35),
        "empty_to_usual": (0.75, 0.33),
        "directed_raised": (0.06, np.nan),
        "directed_lowered": (0.01, np.nan),
    }
    return pd.concat([_measures(values).assign(model=model, layer=layer) for model, layer in EXPLAINED])


def _measures(values):
    rows = []
    for measure, (value, chance) in values.items():
        rows.append((measure, 300, value, 0.9 * value, 1.1 * value, chance))
    return pd.DataFrame(rows, columns=["measure", "count", "value", "low", "high", "chance"])
