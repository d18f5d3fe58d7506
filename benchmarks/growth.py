"""What a pool that grows by a quarter costs: bytes to push, images to embed, images to compare with tests.

What: the default profile's pool at its first snapshot, `dvc repro` up to `pick` and `dvc push`; then at its second
    snapshot the same. Counted for the second: bytes pushed against the bytes that the new version has, images
    whose features were computed, images that the leak filter compared, shards that picking searched (each for
    de-val and for debug-train by every embedder).
Against: the new photos' share of the new version's photos, the least that any of these can be. The bytes are those
    that depend on the pool: pool, attribution, the pool's features, leak filter, picks. The features of the
    fixed sets, which never change, are left out, or they would flatter the share.
On: a scratch clone of HEAD with its own cache, its own spool and a folder as DVC remote.
Writes: ``benchmarks/growth.json``; the seconds that it prints are no claim.

Run it as `python -m benchmarks.growth` in a checkout whose changes are committed.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from debugset.base.files import read_json, write_json
from debugset.base.git import git

SNAPSHOTS = ("2023-12-31", "2024-12-31")
EMBEDDERS = ("foundation", "original", "robust")
RESULT = Path("benchmarks/growth.json")
GROUPS = {  # an out's path begins so
    "pool": "data/pool/",
    "attribution": "data/attribution",
    "features": "data/features/",
    "leak_filter": "data/dedup/",
    "picks": "data/picks/",
    "scrape_reports": "data/",
}


def main() -> None:
    """Run both snapshots; print the shares and write them."""
    if git("status", "--porcelain", "--untracked-files=no"):
        raise SystemExit("error: commit your changes first; the result names the commit that it was measured on")
    with tempfile.TemporaryDirectory() as scratch:
        folder, environment = _clone(Path(scratch))
        first = _version(folder, environment, SNAPSHOTS[0])
        before, spooled = _objects(folder), _spooled(environment)
        second = _version(folder, environment, SNAPSHOTS[1])
        sizes, done = _objects(folder), _spooled(environment)
        outs, searches = list(_pool_outs(folder)), _shards(folder) * (len(EMBEDDERS) + 1)  # de-val once
    result = {
        "commit": git("rev-parse", "HEAD").strip(),
        "photos": {SNAPSHOTS[0]: first, SNAPSHOTS[1]: second},
        "new_photos": second - first,
        "least": (second - first) / second,
        "images_embedded": (done["features"] - spooled["features"]) / (len(EMBEDDERS) * second),
        "images_compared": (done["distances"] - spooled["distances"]) / second,
        "shard_searches": {"of": searches, "new": done["neighbours"] - spooled["neighbours"]},
        "bytes": _bytes(outs, sizes, set(before)),
    }
    pushed = sum(size for name, size in sizes.items() if name not in before)
    if pushed != result["bytes"]["all"]["pushed"]:
        raise SystemExit(f"error: {pushed} bytes were pushed, {result['bytes']['all']['pushed']} are accounted for")
    _show(result)
    write_json(RESULT, result)


def _version(folder: Path, environment: dict[str, str], snapshot: str) -> int:
    """Make and push the pool's version at a snapshot; return how many photos it holds."""
    params = folder / "params.yaml"
    text, found = re.subn(r'(?m)^(  snapshot: )"[^"]*"', rf'\g<1>"{snapshot}"', params.read_text(encoding="utf-8"))
    if found != 1:
        raise SystemExit(f"error: {params}: expected one `snapshot`, found {found}")
    params.write_text(text, encoding="utf-8")
    for command in (("repro", "pick"), ("push", "--with-deps", "pick")):
        start = time.perf_counter()
        subprocess.run(["dvc", *command], check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        print(f"{snapshot}: dvc {command[0]}, {time.perf_counter() - start:.0f} s", flush=True)
    return len(pd.read_parquet(folder / "data/pool/manifest.parquet", columns=["id"]))


def _clone(scratch: Path) -> tuple[Path, dict[str, str]]:
    """A clone of HEAD with its own cache and remote, and an environment with its own spool."""
    folder, spool = scratch / "debugset", scratch / "spool"
    subprocess.run(["git", "clone", "--quiet", ".", str(folder)], check=True)
    spool.mkdir()
    sources = Path(os.environ.get("DEBUGSET_SPOOL") or ".spool").resolve() / "sources"
    if sources.is_dir():  # garments that were fetched before
        (spool / "sources").symlink_to(sources)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "DEBUGSET_SPOOL": str(spool)}
    command = ["dvc", "remote", "add", "--quiet", "--local", "--default", "growth", str(scratch / "remote")]
    subprocess.run(command, check=True, cwd=folder, env=environment)
    return folder, environment


def _objects(folder: Path) -> dict[str, int]:
    """Name and bytes of every object on the remote."""
    files = (folder.parent / "remote/files/md5").glob("*/*")
    return {file.parent.name + file.name: file.stat().st_size for file in files}


def _spooled(environment: dict[str, str]) -> dict[str, int]:
    """How many images the spool holds features and distances of, and how many searched shards' neighbours."""
    spool = Path(environment["DEBUGSET_SPOOL"])
    images = {
        name: sum(len(np.load(file, mmap_mode="r")) for file in (spool / name).glob("*.npy"))
        for name in ("features", "distances")
    }
    return images | {"neighbours": len(list((spool / "neighbours").glob("*.npy")))}


def _shards(folder: Path) -> int:
    return len(list((folder / "data/pool").glob("*.tar")))


def _pool_outs(folder: Path) -> Iterator[tuple[str, str]]:
    """Path and object of every file that depends on the pool, and of the lists that DVC keeps of folders."""
    stages = yaml.safe_load((folder / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    names = ("scrape", "dedup", *(f"{stage}@{embedder}" for stage in ("embed", "pick") for embedder in EMBEDDERS))
    for out in (out for name in names for out in stages[name]["outs"]):
        path, md5 = out["path"], out["md5"]
        if not md5.endswith(".dir"):
            yield path, md5
            continue
        yield f"{path}/", md5
        listed = read_json(folder.parent / "remote/files/md5" / md5[:2] / md5[2:])
        for entry in listed:
            fixed = path.startswith("data/features/") and not entry["relpath"].startswith("pool")
            if not fixed:
                yield f"{path}/{entry['relpath']}", entry["md5"]


def _bytes(outs: list[tuple[str, str]], sizes: dict[str, int], before: set[str]) -> dict[str, dict[str, float]]:
    """Bytes of the new version, bytes pushed and their share, of all and by group."""
    frame = pd.DataFrame(outs, columns=["path", "object"]).drop_duplicates("object")
    frame["group"] = [next(name for name, start in GROUPS.items() if path.startswith(start)) for path in frame["path"]]
    frame["version"] = frame["object"].map(sizes)
    frame["pushed"] = frame["version"].where(~frame["object"].isin(before), 0)
    counted = frame.groupby("group")[["version", "pushed"]].sum().reindex(list(GROUPS))
    counted.loc["all"] = counted.sum()
    shares = counted["pushed"] / counted["version"]
    rows = zip(counted.index, counted["version"], counted["pushed"], shares, strict=True)
    return {str(name): {"version": int(of), "pushed": int(new), "share": share} for name, of, new, share in rows}


def _show(result: dict) -> None:
    old, new = result["photos"].values()
    print(
        f"{old} photos, then {new}: new are {result['new_photos']}, {100 * result['least']:.1f} %, the least possible"
    )
    print(f"images embedded {100 * result['images_embedded']:.1f} %, compared {100 * result['images_compared']:.1f} %")
    searches = result["shard_searches"]
    print(f"shards searched for picks: {searches['new']} of {searches['of']}")
    for name, row in result["bytes"].items():
        print(f"{name:15} {row['version']:>12,} bytes, pushed {row['pushed']:>12,}: {100 * row['share']:5.1f} %")


if __name__ == "__main__":
    main()
