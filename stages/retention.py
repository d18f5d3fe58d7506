"""Stage retention: how much class and context the neighbours keep under every embedder (figure 7)."""

import pandas as pd

from debugset.base.command import run
from debugset.base.files import write_parquet
from debugset.base.params import load
from debugset.base.paths import RETENTION, SETS
from debugset.dcd.retention import RetentionParams, chance, retention
from debugset.features.store import open_features
from debugset.images.sets import open_set


def main() -> None:
    """Write class and context retention of every embedder and of chance."""
    params = load("retention", RetentionParams)
    images = open_set(SETS / params.set)
    if max(params.ks) >= len(images):
        what = f"its images number {len(images)}, too few for `retention.ks` {max(params.ks)}"
        raise ValueError(f"{images.folder}: {what}; lower it, or choose a larger `retention.set`")
    contexts = images.manifest["context"].to_numpy(object) if "context" in images.manifest else None
    if contexts is None:
        print(f"retention: {images.folder} has no column `context`, so only class retention is measured")
    found = []
    for name in params.embedders:
        found.append(retention(open_features(name, images), images.labels, contexts, params.ks).assign(embedder=name))
    found.append(chance(images.labels, contexts, params.ks).assign(embedder="chance"))
    table = pd.concat(found, ignore_index=True)
    write_parquet(RETENTION, table[["embedder", *table.columns.drop("embedder")]])


if __name__ == "__main__":
    run(main)
