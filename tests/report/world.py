"""A tiny set of everything that the report reads: drawn images and made-up predictions, in its formats."""

import io
import json

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from debugset.base.files import write_json, write_parquet
from debugset.dcd.accuracy import EvaluateParams, evaluation_tables
from debugset.images.sets import open_set, write_set

CLASSES = ("tshirt", "trouser", "dress", "sneaker", "bag")
DEBUG = (0, 2, 3)
DEBUG_NAMES = tuple(CLASSES[label] for label in DEBUG)
CONTEXTS = ("brick", "grass", "night")
EMBEDDERS = ("foundation", "original", "robust")
RIGHT = {  # share of held-out failures that a variant gets right
    "retrain": 0.12,
    "random": 0.2,
    "complete": 0.33,
    "dcd-foundation": 0.4,
    "dcd-original": 0.46,
    "dcd-robust": 0.42,
}
XSS = '<script>alert("x")</script><img src=x onerror=alert(1)>'
SHAPES = {
    -1: [],
    0: [(4, 8), (12, 5), (20, 5), (28, 8), (26, 14), (22, 13), (22, 28), (10, 28), (10, 13), (6, 14)],
    1: [(10, 4), (22, 4), (24, 29), (18, 29), (16, 12), (14, 29), (8, 29)],
    2: [(12, 3), (20, 3), (19, 12), (26, 29), (6, 29), (13, 12)],
    3: [(4, 15), (10, 14), (16, 19), (27, 21), (29, 26), (4, 26)],
    4: [(6, 13), (11, 13), (12, 6), (20, 6), (21, 13), (26, 13), (28, 28), (4, 28)],
}


def draw(label, context, rng, size=32):
    """A silhouette on a textured ground, as PNG bytes."""
    base = np.array({"brick": (150, 80, 60), "grass": (80, 130, 60), "night": (35, 40, 80)}[context])
    ground = base + rng.normal(0, 14, (32, 32, 1)) + rng.normal(0, 6, 3)
    if context == "brick":
        ground[::8] += 50
    image = Image.fromarray(ground.clip(0, 255).astype(np.uint8)).resize((size, size))
    tint = tuple(int(value) for value in rng.integers(120, 250, 3))
    dx, dy = rng.integers(-2, 3, 2)
    if points := [((x + dx) * size / 32, (y + dy) * size / 32) for x, y in SHAPES[label]]:
        ImageDraw.Draw(image).polygon(points, fill=tint)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def write_world(root, *, per_class=12, pool_per_class=30, truth=True, photo_size=32, seed=0):
    """Write data/ and models/ under ``root``; ``truth=False`` leaves out what only generated worlds know."""
    rng = np.random.default_rng(seed)
    for name in ("test", "seed_source", "heldout_source"):
        _sets(root, name, per_class, rng, truth)
    _pool(root, pool_per_class, rng, truth, photo_size)
    failures = _errors(root, rng)
    _dedup(root, rng, truth)
    _picks(root, failures, rng)
    _evaluation(root, failures, rng)
    write_json(root / "data/scrape.json", {
        "found": 5 * pool_per_class + 21, "cross_class_dropped": 9, "downloaded": 5 * pool_per_class + 8,
        "rejected": {"undecodable": 8, "too_small": 4}, "packed": 5 * pool_per_class, "lost_to_cap": 0, "forgotten": 0,
    })  # fmt: skip
    frame = [
        {
            "embedder": name,
            "k": k,
            "class_retention": top / k**0.2,
            "context_retention": top / k**0.35,
            "both_retention": top / k**0.5,
        }
        for name, top in (("foundation", 0.8), ("original", 0.9), ("robust", 0.7), ("chance", 0.2))
        for k in (1, 5, 10, 20, 50)
    ]
    write_parquet(root / "data/retention.parquet", pd.DataFrame(frame))
    _barlow(root, rng, truth)
    _relations(root, rng)
    for name in EMBEDDERS:
        scores = {"clean": 0.88, "L2 0.5": 0.81} if name == "robust" else None
        described = {
            "name": "test_resnet",
            "architecture": {"timm_name": "test_resnet"},
            "origin": "trained here",
        }
        write_json(root / f"models/{name}/model.json", described | {"scores": scores})


def _sets(root, name, per_class, rng, truth):
    folder = root / "data/sets" / name
    folder.mkdir(parents=True)
    records = []
    for label in range(len(CLASSES)):
        for place in range(per_class):
            context = str(rng.choice(CONTEXTS))
            record = {"id": f"{name}-{label}-{place:03}", "label": label, "shard": f"{name}.tar"}
            record |= {"true_label": label, "context": context, "planted": ""} if truth else {}
            records.append((record, draw(label, context, rng)))
    write_set(folder, records, CLASSES)


def _pool(root, per_class, rng, truth, size):
    folder = root / "data/pool"
    folder.mkdir(parents=True)
    records = []
    for place in range(len(CLASSES) * per_class):
        weak = place % len(CLASSES)
        true = weak if rng.random() < 0.6 else int(rng.integers(-1, len(CLASSES)))
        context = str(rng.choice(CONTEXTS))
        planted = ("reencoded", "shifted", "duplicate")[place % 3] if place % 10 == 0 else ""
        record = {"id": f"{90000 + place}", "label": weak, "shard": "2019.tar", "title": XSS, "tags": "a b"}
        record |= {"owner": "1@N01", "owner_name": "O'Hara & <b>sons</b>", "licence": -1 if place % 7 == 0 else 4}
        record["page"] = "javascript:alert(1)" if place % 2 else f"https://www.flickr.com/photos/1@N01/{record['id']}"
        record |= {"true_label": true, "context": context, "planted": planted} if truth else {}
        records.append((record, draw(true, context, rng, size)))
    write_set(folder, records, CLASSES)


def _errors(root, rng):
    predictions, failures = [], []
    for name in ("test", "seed_source", "heldout_source"):
        images = open_set(root / "data/sets" / name)
        for image_id, label in zip(images.ids, images.labels, strict=True):
            wrong = rng.random() < (0.1 if name == "test" else 0.5)
            guess = int((label + rng.integers(1, len(CLASSES))) % len(CLASSES)) if wrong else int(label)
            predictions.append(("original", 0, name, image_id, int(label), guess))
            if wrong and name != "test" and label in DEBUG:
                role = {"seed_source": "seed", "heldout_source": "heldout"}[name]
                failures.append((role, name, int(label), image_id, guess))
    columns = ["model", "random_state", "set", "image_id", "label", "predicted"]
    write_parquet(root / "data/errors/predictions.parquet", pd.DataFrame(predictions, columns=columns))
    frame = pd.DataFrame(failures, columns=["role", "set", "class", "image_id", "predicted"])
    write_parquet(root / "data/errors/failures.parquet", frame)
    return frame


def _dedup(root, rng, truth):
    pool, tests = open_set(root / "data/pool"), open_set(root / "data/sets/test")
    near = rng.integers(0, len(tests), len(pool))
    distance = rng.lognormal(0.6, 0.8, len(pool))
    reason = np.where(distance <= 0.8, "leak", "").astype(object)
    reason[3], reason[17] = "duplicate", "duplicate"
    fates = pd.DataFrame(
        {
            "image_id": pool.ids,
            "keep": reason == "",
            "reason": reason,
            "nearest_set": "test",
            "nearest_id": tests.ids[near],
            "distance": distance,
            "threshold": 0.8,
        }
    )
    write_parquet(root / "data/dedup/keep.parquet", fates)
    compared = fates[fates["reason"] != "duplicate"].sort_values("distance")
    removed, kept = compared[~compared["keep"]][::-1], compared[compared["keep"]]
    write_parquet(root / "data/dedup/border.parquet", pd.concat([removed.head(24), kept.head(24)]))
    write_json(root / "data/dedup/thresholds.json", {"quantile": 0.0, "classes": {}})
    score = {"images": len(pool), "kept": int((reason == "").sum()), "duplicates": 2, "leaks": 9}
    if truth:
        kinds = ("exact", "reencoded", "shifted", "brightness", "duplicate")
        score |= {
            "recall": dict.fromkeys(kinds, 0.75),
            "planted": dict.fromkeys(kinds, 8),
            "false_removal_rate": 0.01,
        }
    write_json(root / "data/dedup/scores.json", {"quantile": 0.0, "used": score, "minimum": score})


def _picks(root, failures, rng):
    """One pick of de-val a seed, by foundation, and up to three of debug-train by every embedder."""
    keep = pd.read_parquet(root / "data/dedup/keep.parquet")
    pool = open_set(root / "data/pool")
    kept = keep["keep"].to_numpy()
    deval = []
    for embedder in EMBEDDERS:
        rows = []
        for label in DEBUG:
            seeds = failures[(failures["role"] == "seed") & (failures["class"] == label)]["image_id"]
            taken = np.isin(pool.ids, [pick[3] for pick in deval])
            free = list(rng.permutation(pool.ids[kept & ~taken & (pool.labels == label)]))
            for seed_id in seeds:
                for rank in range(4):
                    if free:
                        pick = (label, "seed_source", seed_id, free.pop(), float(rng.random()), max(rank - 1, 0))
                        (rows if rank else deval if embedder == "foundation" else []).append(pick)
        _write_picks(root, embedder, rows)
    _write_picks(root, "deval", deval)


def _write_picks(root, name, rows):
    columns = ["class", "seed_set", "seed_id", "image_id", "distance", "rank"]
    write_parquet(root / f"data/picks/{name}.parquet", pd.DataFrame(rows, columns=columns))


def _evaluation(root, failures, rng):
    failed = set(failures["image_id"])
    deval = pd.read_parquet(root / "data/picks/deval.parquet")
    wanted = []
    for name in ("test", "seed_source", "heldout_source"):
        images = open_set(root / "data/sets" / name)
        wanted += [(name, image_id, int(label)) for image_id, label in zip(images.ids, images.labels, strict=True)]
    wanted += [
        ("deval", image_id, int(label)) for image_id, label in zip(deval["image_id"], deval["class"], strict=True)
    ]
    rows = []
    for variant, share in RIGHT.items():
        for name, image_id, label in wanted:
            right = rng.random() < (
                share if image_id in failed else {"test": 0.88, "deval": share + 0.3}.get(name, 0.9)
            )
            guess = label if right else int((label + 1) % len(CLASSES))
            rows.append((variant, 1, name, image_id, label, guess))
    added = {}
    for variant in RIGHT:
        images = {"retrain": 0, "complete": 130}.get(variant, 42)
        counts = {label: int(rng.integers(5, 30)) if images else 0 for label in DEBUG}
        precision = None if variant == "retrain" else 0.5 + 0.5 * RIGHT[variant]
        by_class = {CLASSES[label]: count for label, count in counts.items()}
        content = {"images": images, "by_class": by_class, "weak_label_precision": precision}
        write_json(root / f"data/added/{variant}.json", content)
        added[variant] = counts
    original = pd.read_parquet(root / "data/errors/predictions.parquet")
    write_evaluation(root, pd.concat([original, pd.DataFrame(rows, columns=original.columns)]), added)


def write_evaluation(root, predictions, added=None):
    """Write what stage evaluate writes of these predictions."""
    failures = pd.read_parquet(root / "data/errors/failures.parquet")
    params = EvaluateParams(resamples=100, random_state=0)
    tables = evaluation_tables(predictions, failures, DEBUG, added or {}, params)
    for name, table in {**tables, "predictions": predictions}.items():
        write_parquet(root / f"data/evaluation/{name}.parquet", table)


def _barlow(root, rng, truth):
    """Three failure modes: one holds, one does not, one has no pictures; a class without an explanation."""
    rows = []
    named = (("label-dress-1", 2, True), ("prediction-bag-1", 4, False), ("label-tshirt-1", 0, True))
    for name, label, holds in named:
        grouping = name.split("-")[0]
        rule = [[41, "<" if holds else ">=", 0.7326543807983398]]
        rates = {"error_rate": 0.71, "error_coverage": 0.64, "importance": 0.45, "base_error_rate": 0.38}
        tried = {"heldout_count": 60, "heldout_failures": 39, "heldout_error_rate": 0.65, "heldout_error_coverage": 0.6,
                 "heldout_base_error_rate": 0.39, "p": 1e-5 if holds else 0.4}  # fmt: skip
        rows.append(
            {"mode": name, "grouping": grouping, "class": label, "rule": json.dumps(rule), "count": 70, "failures": 50,
             "words": f"feature[41] {rule[0][1]} 0.7326543807983398", **rates, **tried,
             "p_corrected": min(10 * tried["p"], 1.0), "holds": holds}
        )  # fmt: skip
    write_parquet(root / "data/barlow/modes.parquet", pd.DataFrame(rows))
    kinds = ("activating", "heatmap", "gradient", "attack", "failure")
    pictures = [
        {"mode": row["mode"], "kind": kind, "feature": -1 if kind == "failure" else 41, "rank": rank,
         "image_id": f"diagnosis-{rank}", "value": 2.5 - rank / 4 if kind in ("activating", "attack") else np.nan,
         "png": draw(row["class"], CONTEXTS[rank % 3], rng)}
        for row in rows[:2] for kind in kinds for rank in range(4)
    ]  # fmt: skip
    write_parquet(root / "data/barlow/pictures.parquet", pd.DataFrame(pictures))
    groups = [
        {"analysed": analysed, "features": features, "grouping": grouping, "depth": depth, "class": label,
         "images": 300, "failures": 90, "reason": "no failures" if label == 1 else "", "base_error_rate": 0.3,
         "aler": 0.5, **dict.fromkeys(("gain", "heldout_gain", "chance_gain", "chance_gain_95"),
                                      np.nan if label == 1 else depth / 10 + label / 100),
         "valid": None if label == 1 else label != 3}
        for analysed, features in (("original", "robust"), ("original", "pixels"), ("robust", "robust"))
        for grouping in ("label", "prediction") for depth in (1, 3) for label in range(len(CLASSES))
    ]  # fmt: skip
    write_parquet(root / "data/barlow/groups.parquet", pd.DataFrame(groups).astype({"valid": "boolean"}))
    if truth:
        planted = [
            {"analysed": "original", "features": features, "grouping": "label", "depth": 1, "class": label,
             "precision": 0.9, "recall": 0.7, "base": 0.66}
            for features in ("robust", "pixels") for label in (0, 2)
        ]  # fmt: skip
        write_parquet(root / "data/barlow/planted.parquet", pd.DataFrame(planted))
    remeasured = [
        {"mode": mode, "variant": variant, "images": 60, "runs": 1, "error_rate": rate, "low": rate - 0.1,
         "high": rate + 0.1, "error_coverage": 0.6, "base_error_rate": rate / 2, "fewer": 0.1, "fewer_low": 0.0,
         "fewer_high": 0.2}
        for mode in (*(row["mode"] for row in rows), "all")
        for variant, rate in {"original": 0.65, **{name: 0.7 - share for name, share in RIGHT.items()}}.items()
    ]  # fmt: skip
    write_parquet(root / "data/remeasured.parquet", pd.DataFrame(remeasured))


def _relations(root, rng):
    """Two networks of four attributes: an unbiased one, and one in which bag and sandal are one thing."""
    runs = [("000", "", "", 0.0), ("001", "bag", "sandal", 1.0)]
    columns = ["name", "attribute_a", "attribute_b", "tau"]
    write_parquet(
        root / "data/relations/runs.parquet", pd.DataFrame(runs, columns=columns).assign(random_state=3, images=500)
    )
    attributes, label = ("bag", "sandal", "coat", "footwear"), {("sandal", "footwear"): "positive"}
    tables = {"pairs": [], "attributes": [], "histograms": [], "modes": [], "costs": [], "maps": []}
    for run, *pair, tau in runs:
        pairs = [(a, b) for place, a in enumerate(attributes) for b in attributes[place + 1 :]]
        for rank, (a, b) in enumerate(sorted(pairs, key=lambda one: list(one) != pair), start=1):
            flawed = [a, b] == pair
            found = {"attribute_a": a, "attribute_b": b, "relation": label.get((a, b), "unrelated"), "run": run}
            tables["pairs"].append(
                {**found, "mean": 0.9 if flawed else 0.02, "kl": 9.5 if flawed else 0.5 / rank, "rank": float(rank),
                 "kind": "failure mode" if flawed else "", "mode": "+-" if flawed else "", "expected_mean": 0.01,
                 "expected_std": 0.1, "std": 0.05, "images": 300, "correlation": tau if flawed else 0.0}
            )  # fmt: skip
            counts = np.bincount([19 if flawed else 10] * 300, minlength=20).tolist()
            tables["histograms"].append({"attribute_a": a, "attribute_b": b, "counts": counts, "run": run})
            if flawed:
                cost = {"ordinary": 0.9, "in_mode": 0.55, "decrease": 0.35, "test_images": 40}
                tables["modes"].append({**found, "mode": "+-", "score": 9.5, **cost, "method": "relations", "place": 1})
                tables["maps"] += [
                    {"attribute_a": a, "attribute_b": b, "image_id": f"train-{place}", "attribute": attribute,
                     "png": draw(place % 5, "night", rng), "run": run}
                    for attribute in ("", a, b) for place in range(3)
                ]  # fmt: skip
        tables["attributes"] += [
            {"attribute": name, "kl": 0.4 + tau, "accuracy": 0.9, "kept": 0.1, "residual": 0.001, "run": run}
            for name in attributes
        ]
        tables["costs"] += [
            {"top": 1, "modes": int(tau), "passed": 0, "ordinary": 0.9 if tau else None,
             "in_mode": 0.55 if tau else None, "decrease": 0.35 if tau else None, "method": method, "run": run}
            for method in ("relations", "entropy", "lowest entropy")
        ]  # fmt: skip
    for name, rows in tables.items():
        write_parquet(root / f"data/relations/{name}.parquet", pd.DataFrame(rows))
