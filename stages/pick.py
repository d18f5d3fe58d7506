"""Stage pick: the debug-validation and debug-train sets of one embedder; call it with the embedder's name."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from debugset.base.command import run
from debugset.base.files import write_parquet
from debugset.base.machine import spool_folder
from debugset.base.params import load
from debugset.dcd.picks import PickParams, Picks, pick_by_shard
from debugset.features.store import open_features
from debugset.images.sets import ImageSet, open_set


def main() -> None:
    """Pick de-val by the foundation embedder, the same for all, then debug-train by the embedder named."""
    if len(sys.argv) != 2:
        raise ValueError("usage: python -m stages.pick EMBEDDER")
    params = load("pick", PickParams)
    embedder = sys.argv[1]
    pool, seeds = open_set("data/pool"), _seeds()
    taken = np.zeros(len(pool), bool)
    seed_ids = np.concatenate([failures["image_id"].to_numpy(object) for _, failures in seeds])
    seed_labels = np.concatenate([failures["class"].to_numpy(np.int64) for _, failures in seeds])
    filtered, found = removed(pool), []
    for role, by, per_seed in (
        ("deval", "foundation", params.per_seed_validation),
        ("train", embedder, params.per_seed),
    ):
        picks = pick_by_shard(
            np.concatenate([open_features(by, images)[images.rows_of(of["image_id"])] for images, of in seeds]),
            seed_labels,
            open_features(by, pool),
            pool.labels,
            per_seed,
            spool_folder() / "neighbours",
            removed=filtered,
            taken=taken,
            weak_labels=params.weak_labels,
            normalise=params.normalise,
        )
        taken[picks.image] = True
        found.append(described(picks, role, seed_labels, seed_ids, pool.ids))
    write_parquet(Path(f"data/picks/{embedder}.parquet"), pd.concat(found, ignore_index=True))


def _seeds() -> list[tuple[ImageSet, pd.DataFrame]]:
    """The failures to collect for: all of mfreq, then those of failure modes that are mended on purpose."""
    failures = pd.read_parquet("data/errors/failures.parquet")
    return [
        (open_set(f"data/sets/{name}"), failures[failures["role"] == role])
        for name, role in (("mfreq", "seed"), ("deployment", "mode"))
    ]


def removed(pool: ImageSet) -> np.ndarray:
    """The pool images that dedup took out."""
    path = "data/dedup/keep.parquet"
    keep = pd.read_parquet(path)
    if not np.array_equal(keep["image_id"].to_numpy(object), pool.ids):
        raise ValueError(f"{path}: belongs to another version of the pool; run stage dedup again")
    return ~keep["keep"].to_numpy(bool)


def described(
    picks: Picks, role: str, seed_labels: np.ndarray, seed_ids: np.ndarray, pool_ids: np.ndarray
) -> pd.DataFrame:
    """Picks with the ids of their images; the class is the seed's."""
    return pd.DataFrame(
        {
            "role": role,
            "class": seed_labels[picks.seed],
            "seed_id": seed_ids[picks.seed],
            "image_id": pool_ids[picks.image],
            "distance": picks.distance,
            "rank": picks.rank,
        }
    )


if __name__ == "__main__":
    run(main)
