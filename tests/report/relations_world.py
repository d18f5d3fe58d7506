"""What stage relations writes, made up."""

from itertools import combinations

import numpy as np
import pandas as pd

from debugset.base.files import write_parquet
from tests.report.silhouettes import draw

ATTRIBUTES = ("bag", "sandal", "coat", "footwear")
RUNS = [("000", "", "", 0.0), ("001", "bag", "sandal", 1.0)]


def write_relations(root, rng):
    """Two networks of four attributes: an unbiased one, and one in which bag and sandal are one thing."""
    runs = pd.DataFrame(RUNS, columns=["name", "attribute_a", "attribute_b", "tau"])
    write_parquet(root / "data/relations/runs.parquet", runs.assign(random_state=3, images=500))
    tables = {"pairs": [], "attributes": [], "histograms": [], "modes": [], "costs": [], "maps": []}
    for run, *biased, tau in RUNS:
        pairs = sorted(combinations(ATTRIBUTES, 2), key=lambda pair: list(pair) != biased)  # the biased one first
        for rank, (a, b) in enumerate(pairs, start=1):
            key = {"attribute_a": a, "attribute_b": b, "run": run}
            flawed = [a, b] == biased
            tables["pairs"].append(_pair(key, rank, flawed, tau))
            bins = np.bincount([19 if flawed else 10] * 300, minlength=20)
            tables["histograms"].append({**key, "counts": bins.tolist()})
            if flawed:
                tables["modes"].append(_mode(key))
                tables["maps"] += _maps(key, rng)
        for name in ATTRIBUTES:
            row = {"attribute": name, "kl": 0.4 + tau, "accuracy": 0.9, "kept": 0.1, "residual": 0.001, "run": run}
            tables["attributes"].append(row)
        for method in ("relations", "entropy", "lowest entropy"):
            tables["costs"].append(_cost(method, run, tau))
    for name, rows in tables.items():
        write_parquet(root / f"data/relations/{name}.parquet", pd.DataFrame(rows))


def _pair(key, rank, flawed, tau):
    relation = "positive" if key["attribute_a"] == "sandal" and key["attribute_b"] == "footwear" else "unrelated"
    return {
        **key,
        "relation": relation,
        "mean": 0.9 if flawed else 0.02,
        "kl": 9.5 if flawed else 0.5 / rank,
        "rank": float(rank),
        "kind": "failure mode" if flawed else "",
        "mode": "+-" if flawed else "",
        "expected_mean": 0.01,
        "expected_std": 0.1,
        "std": 0.05,
        "images": 300,
        "correlation": tau if flawed else 0.0,
    }


def _mode(key):
    return {
        **key,
        "relation": "unrelated",
        "mode": "+-",
        "score": 9.5,
        "ordinary": 0.9,
        "in_mode": 0.55,
        "decrease": 0.35,
        "test_images": 40,
        "method": "relations",
        "place": 1,
    }


def _maps(key, rng):
    """Three images, and the map of either attribute on each."""
    rows = []
    for attribute in ("", key["attribute_a"], key["attribute_b"]):
        for place in range(3):
            png = draw(place % 5, "night", rng)
            rows.append({**key, "image_id": f"train-{place}", "attribute": attribute, "png": png})
    return rows


def _cost(method, run, tau):
    cost = {"ordinary": 0.9, "in_mode": 0.55, "decrease": 0.35}
    if not tau:
        cost = dict.fromkeys(cost)
    return {"top": 1, "modes": int(tau), "passed": 0, **cost, "method": method, "run": run}
