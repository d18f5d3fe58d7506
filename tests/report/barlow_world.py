"""What stages barlow and remeasure write, made up."""

import json

import numpy as np
import pandas as pd

from debugset.base.files import write_parquet
from tests.report.silhouettes import CLASSES, CONTEXTS, draw

THRESHOLD = 0.7326543807983398
MODES = {"label-dress-1": (2, True), "prediction-bag-1": (4, False), "label-tshirt-1": (0, True)}  # class, holds
ANALYSES = (("original", "robust"), ("original", "pixels"), ("robust", "robust"))  # model, features
UNEXPLAINED, WITHOUT_VALID_LEAF = 1, 3  # classes


def write_barlow(root, rng, truth, right):
    """Three failure modes: one holds, one does not, one has no pictures; a class without an explanation.

    Args:
        root: the folder that takes ``data``.
        rng: draws the pictures.
        truth: whether the planted cause is known.
        right: by variant, a share that lowers its error rate on the images of every mode.
    """
    _modes(root)
    _pictures(root, rng)
    _groups(root)
    if truth:
        _planted(root)
    _remeasured(root, right)


def _modes(root):
    rows = []
    for name, (label, holds) in MODES.items():
        sign, p = ("<", 1e-5) if holds else (">=", 0.4)
        rows.append(
            {
                "mode": name,
                "grouping": name.split("-")[0],
                "class": label,
                "rule": json.dumps([[41, sign, THRESHOLD]]),
                "count": 70,
                "failures": 50,
                "words": f"feature[41] {sign} {THRESHOLD}",
                "error_rate": 0.71,
                "error_coverage": 0.64,
                "importance": 0.45,
                "base_error_rate": 0.38,
                "heldout_count": 60,
                "heldout_failures": 39,
                "heldout_error_rate": 0.65,
                "heldout_error_coverage": 0.6,
                "heldout_base_error_rate": 0.39,
                "p": p,
                "p_corrected": min(10 * p, 1.0),
                "holds": holds,
            }
        )
    write_parquet(root / "data/barlow/modes.parquet", pd.DataFrame(rows))


def _pictures(root, rng):
    rows = []
    for mode in ("label-dress-1", "prediction-bag-1"):
        for kind in ("activating", "heatmap", "gradient", "attack", "failure"):
            for rank in range(4):
                rows.append(
                    {
                        "mode": mode,
                        "kind": kind,
                        "feature": -1 if kind == "failure" else 41,
                        "rank": rank,
                        "image_id": f"diagnosis-{rank}",
                        "value": 2.5 - rank / 4 if kind in ("activating", "attack") else np.nan,
                        "png": draw(MODES[mode][0], CONTEXTS[rank % 3], rng),
                    }
                )
    write_parquet(root / "data/barlow/pictures.parquet", pd.DataFrame(rows))


def _groups(root):
    rows = []
    for analysed, features in ANALYSES:
        for grouping in ("label", "prediction"):
            for depth in (1, 3):
                for label in range(len(CLASSES)):
                    explained = label != UNEXPLAINED
                    gain = depth / 10 + label / 100 if explained else np.nan
                    rows.append(
                        {
                            "analysed": analysed,
                            "features": features,
                            "grouping": grouping,
                            "depth": depth,
                            "class": label,
                            "images": 300,
                            "failures": 90,
                            "reason": "" if explained else "no failures",
                            "base_error_rate": 0.3,
                            "aler": 0.5,
                            "gain": gain,
                            "heldout_gain": gain,
                            "chance_gain": gain,
                            "chance_gain_95": gain,
                            "valid": label != WITHOUT_VALID_LEAF if explained else None,
                        }
                    )
    write_parquet(root / "data/barlow/groups.parquet", pd.DataFrame(rows).astype({"valid": "boolean"}))


def _planted(root):
    rows = []
    for features in ("robust", "pixels"):
        for label in (0, 2):
            rows.append(("original", features, "label", 1, label, 0.9, 0.7, 0.66))
    columns = ["analysed", "features", "grouping", "depth", "class", "precision", "recall", "base"]
    write_parquet(root / "data/barlow/planted.parquet", pd.DataFrame(rows, columns=columns))


def _remeasured(root, right):
    rates = {"original": 0.65}
    for variant, share in right.items():
        rates[variant] = 0.7 - share
    rows = []
    for mode in (*MODES, "all"):
        for variant, rate in rates.items():
            rows.append(
                {
                    "mode": mode,
                    "variant": variant,
                    "images": 60,
                    "runs": 1,
                    "error_rate": rate,
                    "low": rate - 0.1,
                    "high": rate + 0.1,
                    "error_coverage": 0.6,
                    "base_error_rate": rate / 2,
                    "fewer": 0.1,
                    "fewer_low": 0.0,
                    "fewer_high": 0.2,
                }
            )
    write_parquet(root / "data/remeasured.parquet", pd.DataFrame(rows))
