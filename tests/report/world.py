"""A tiny set of everything that the report reads: drawn images and made-up predictions, in its formats."""

import numpy as np
import pandas as pd

from debugset.base.files import write_json, write_parquet
from debugset.dcd.accuracy import BootstrapParams, evaluation_tables
from debugset.images.sets import open_set, write_set
from tests.report.barlow_world import write_barlow
from tests.report.relations_world import write_relations
from tests.report.silhouettes import CLASSES, CONTEXTS, draw
from tests.report.sparse_world import write_sparse

DEBUG = (0, 2, 3)
DEBUG_NAMES = tuple(CLASSES[label] for label in DEBUG)
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


def write_world(root, *, per_class=12, pool_per_class=30, truth=True, photo_size=32, random_state=0):
    """Write data/ and models/ under ``root``; ``truth=False`` leaves out what only generated worlds know."""
    rng = np.random.default_rng(random_state)
    for name in ("test", "seed_source", "heldout_source"):
        _sets(root, name, per_class, rng, truth)
    _pool(root, pool_per_class, rng, truth, photo_size)
    failures = _errors(root, rng)
    _dedup(root, rng, truth)
    _picks(root, failures, rng)
    _evaluation(root, failures, rng)
    scrape = {
        "found": 5 * pool_per_class + 21,
        "cross_class_dropped": 9,
        "downloaded": 5 * pool_per_class + 8,
        "rejected": {"undecodable": 8, "too_small": 4},
        "packed": 5 * pool_per_class,
        "lost_to_cap": 0,
        "forgotten": 0,
    }
    write_json(root / "data/scrape.json", scrape)
    _retention(root)
    write_barlow(root, rng, truth, RIGHT)
    write_relations(root, rng)
    _sets(root, "diagnosis", 4, rng, truth)
    write_sparse(root, rng, truth)
    for name in EMBEDDERS:
        scores = {"clean": 0.88, "L2 0.5": 0.81} if name == "robust" else None
        model = {"name": "test_resnet", "architecture": {"timm_name": "test_resnet"}, "origin": "trained here"}
        write_json(root / f"models/{name}/model.json", {**model, "scores": scores})


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


def _retention(root):
    rows = []
    for embedder, top in (("foundation", 0.8), ("original", 0.9), ("robust", 0.7), ("chance", 0.2)):
        for k in (1, 5, 10, 20, 50):
            rows.append((embedder, k, top / k**0.2, top / k**0.35, top / k**0.5))
    columns = ["embedder", "k", "class_retention", "context_retention", "both_retention"]
    write_parquet(root / "data/retention.parquet", pd.DataFrame(rows, columns=columns))


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
            free = rng.permutation(pool.ids[kept & ~taken & (pool.labels == label)])[::-1]
            for seed_id in seeds:
                for number, image_id in enumerate(free[:4]):
                    pick = (label, "seed_source", seed_id, image_id, float(rng.random()), max(number - 1, 0))
                    if number:
                        rows.append(pick)
                    elif embedder == "foundation":
                        deval.append(pick)
                free = free[4:]
        _write_picks(root, embedder, rows)
    _write_picks(root, "deval", deval)


def _write_picks(root, name, rows):
    columns = ["class", "seed_set", "seed_id", "image_id", "distance", "rank"]
    write_parquet(root / f"data/picks/{name}.parquet", pd.DataFrame(rows, columns=columns))


def _evaluation(root, failures, rng):
    failed = set(failures["image_id"])
    deval = pd.read_parquet(root / "data/picks/deval.parquet")
    sets = {}
    for name in ("test", "seed_source", "heldout_source"):
        images = open_set(root / "data/sets" / name)
        sets[name] = (images.ids, images.labels.tolist())
    sets["deval"] = (deval["image_id"], deval["class"])
    rows = []
    for variant, share in RIGHT.items():
        shares = {"test": 0.88, "seed_source": 0.9, "heldout_source": 0.9, "deval": share + 0.3}
        for name, (image_ids, labels) in sets.items():
            for image_id, label in zip(image_ids, labels, strict=True):
                right = rng.random() < (share if image_id in failed else shares[name])
                rows.append((variant, 1, name, image_id, label, label if right else (label + 1) % len(CLASSES)))
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
    params = BootstrapParams(resamples=100, random_state=0)
    tables = evaluation_tables(predictions, failures, DEBUG, added or {}, params)
    for name, table in {**tables, "predictions": predictions}.items():
        write_parquet(root / f"data/evaluation/{name}.parquet", table)
