"""Stage pick: de-val, the same for all, or the debug-train set of an embedder; the command names which."""

import numpy as np
import pandas as pd

from debugset.base.command import argument, run
from debugset.base.files import read_parquet, write_parquet
from debugset.base.machine import spool_folder
from debugset.base.params import load
from debugset.base.paths import DEDUP, DEVAL, ERRORS, PICKS, POOL, SETS
from debugset.dcd.dedup import removed_images
from debugset.dcd.failures import collected_for
from debugset.dcd.picks import PickParams, missing_picks, pick_by_shard, picks_frame
from debugset.features.store import open_features
from debugset.images.sets import open_set

DEVAL_EMBEDDER = "foundation"


def main() -> None:
    """Pick de-val by the foundation embedder, or debug-train by the one named, without the images of de-val."""
    purpose = argument(f"{DEVAL}|EMBEDDER")
    params, pool = load("pick", PickParams), open_set(POOL)
    if purpose == DEVAL:
        embedder, per_seed, taken = DEVAL_EMBEDDER, params.per_seed_validation, np.zeros(len(pool), bool)
    else:
        deval = read_parquet(PICKS / f"{DEVAL}.parquet")
        embedder, per_seed, taken = purpose, params.per_seed, np.isin(pool.ids, deval["image_id"])
    seeds = collected_for(read_parquet(ERRORS / "failures.parquet"))
    keep = read_parquet(DEDUP / "keep.parquet")
    picks = pick_by_shard(
        seed_features(seeds, embedder),
        seeds["class"].to_numpy(np.int64),
        open_features(embedder, pool),
        pool.labels,
        per_seed,
        spool_folder() / "neighbours",
        removed=removed_images(keep, pool.ids),
        taken=taken,
        weak_labels=params.weak_labels,
        normalise=params.normalise,
    )
    table = picks_frame(picks, seeds, pool.ids)
    tell_missing(purpose, table, seeds, per_seed, int(taken.sum()), pool.classes)
    write_parquet(PICKS / f"{purpose}.parquet", table)


def tell_missing(
    purpose: str, picks: pd.DataFrame, seeds: pd.DataFrame, per_seed: int, taken: int, classes: tuple[str, ...]
) -> None:
    """Tell for which classes the pool ran dry; a ValueError if nothing at all was picked, for then nothing is added."""
    missing = missing_picks(picks, seeds, per_seed)
    names, mend = ", ".join(classes[label] for label in missing.index), "collect more photos (section `scrape`)"
    if picks.empty:
        what = f"no image of the pool is left to pick for {len(seeds)} failures of {names}"
        mend += f", or lower `{'pick.per_seed_validation' if taken else 'dedup.quantile'}`"
        raise ValueError(f"{PICKS / purpose}.parquet: {what}{f', de-val took {taken}' if taken else ''}; {mend}")
    if len(missing):
        asked = f"{len(picks):,} of {per_seed * len(seeds):,} picks asked for"
        print(f"pick: {purpose}: {asked}, the pool ran dry for {names}; {mend}")


def seed_features(seeds: pd.DataFrame, embedder: str) -> np.ndarray:
    """The features of failures, in their order."""
    features: list[np.ndarray] = []
    for name in seeds["set"].unique():  # failures of one set lie together
        images = open_set(SETS / name)
        rows = images.rows_of(seeds.loc[seeds["set"] == name, "image_id"])
        features.append(open_features(embedder, images)[rows])
    return np.concatenate(features)


if __name__ == "__main__":
    run(main)
