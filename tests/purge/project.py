"""A small project with the paths of the real pipeline, in git and DVC; its stages copy what a world gives."""

import io
import shutil
import subprocess
from contextlib import chdir, contextmanager

import numpy as np
import pandas as pd
import pytest
import yaml
from dvc.repo import Repo

from debugset.base.files import sha256, write_json, write_parquet
from debugset.images.sets import write_set

KEPT, GONE, OTHER = "5000000001", "5000000002", "5000000003"
SHARDS = {KEPT: "2014.tar", GONE: "2014.tar", OTHER: "2015.tar"}
POOLED = ["data/pool", "data/dedup"]
STAGES = {  # what each reads and writes
    "scrape": (["forgotten.txt"], ["data/pool", "data/attribution", "data/photos.parquet", "data/scrape.json"]),
    "embed": (["data/pool"], ["data/features/robust"]),
    "near": (["data/features/robust/pool"], ["data/near.json"]),  # as barlow, of a folder inside an out
    "dedup": (["data/pool", "data/features/robust"], ["data/dedup"]),
    "pick-foundation": (["data/dedup"], ["data/picks/foundation.parquet"]),
    "pick-robust": (["data/dedup"], ["data/picks/robust.parquet"]),
    "train-complete": ([*POOLED, "data/picks/foundation.parquet"], ["models/variants/complete"]),
    "train-dcd-robust": ([*POOLED, "data/picks/robust.parquet"], ["models/variants/dcd-robust"]),
    "report": (["data/pool", "models/variants/complete"], ["report/index.html", "plots/chart.png"]),
}


def parquet(**columns):
    """A table's file."""
    file = io.BytesIO()
    pd.DataFrame(columns).to_parquet(file)
    return file.getvalue()


def photo(id):
    """A photo's file."""
    return b"pixels of " + id[::-1].encode() + np.random.default_rng(int(id)).bytes(2000)


def feature(id):
    """A photo's features."""
    return np.random.default_rng(int(id)).normal(size=8).astype(np.float32)


def write_world(folder, ids):
    """Write all that the stages give when the pool has these photos."""
    for name in ("data/pool", "data/attribution", "data/features/robust/pool", "plots", "report"):
        (folder / name).mkdir(parents=True)
    pool = folder / "data/pool"
    known = {"label": 0, "width": 1, "height": 1}
    write_set(pool, [({"id": id, "shard": SHARDS[id], **known}, photo(id)) for id in ids], ["a"])
    features = folder / "data/features/robust"
    for shard in set(SHARDS.values()):
        of_shard = [feature(id) for id in ids if SHARDS[id] == shard]
        np.save(features / "pool" / shard.replace(".tar", ".npy"), np.stack(of_shard))
    write_json(features / "pool.json", {"manifest_sha256": sha256(pool / "manifest.parquet")})
    links = [f"https://photos.example/{id}" for id in ids]
    write_parquet(folder / "data/photos.parquet", pd.DataFrame({"id": ids, "page": links}))
    write_parquet(folder / "data/attribution/attribution.parquet", pd.DataFrame({"id": ids}))
    (folder / "data/attribution/attribution.html").write_text("".join(f"<a href='{link}'>by</a>" for link in links))
    write_json(folder / "data/scrape.json", {"packed": len(ids)})
    write_json(folder / "data/near.json", [id[::-1] for id in ids])
    write_parquet(folder / "data/dedup/keep.parquet", pd.DataFrame({"image_id": ids, "keep": True}))
    write_json(folder / "data/dedup/scores.json", {"kept": len(ids)})
    picks = pd.DataFrame({"seed_set": "test", "image_id": ids})
    write_parquet(folder / "data/picks/foundation.parquet", picks)
    write_parquet(folder / "data/picks/robust.parquet", picks[picks["image_id"] == OTHER])
    for variant, learnt in {"complete": ids, "dcd-robust": [OTHER]}.items():
        model = folder / "models/variants" / variant / "1/model.safetensors"
        model.parent.mkdir(parents=True)
        model.write_text(f"{variant} learnt {learnt}")
    (folder / "report/index.html").write_text(f"shows {[id[::-1] for id in ids]}")
    (folder / "plots/chart.png").write_text("bars")


class Project:
    """A git and DVC repository in a folder, and a DVC remote in a folder beside it."""

    def __init__(self, folder):
        self.folder, self.remote, self.backup = (folder / name for name in ("project", "remote", "backup"))

    def create(self):
        """Make the project, with nothing run yet."""
        self.folder.mkdir()
        (self.folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {name: stage(name) for name in STAGES}}))
        (self.folder / ".gitignore").write_text("data/\nmodels/\nreport/\nplots/\n.spool/\n")
        self.git("init", "-q", "-b", "main")
        Repo.init(str(self.folder)).close()
        self.use_remote()

    def use_remote(self, backup="", default="store"):
        """Name the remote, and a second one if it has a name, by its whole path, in a file that git ignores.

        DVC takes a relative path in a committed file for one from the root of the disk when it reads tags.
        """
        config = f"[core]\n    remote = {default}\n" if default else ""
        for name, folder in {"store": self.remote, backup: self.backup}.items():
            config += f"['remote \"{name}\"']\n    url = {folder}\n" if name else ""
        (self.folder / ".dvc/config.local").write_text(config)

    def version(self, tag, ids, forgotten=""):
        """Run the pipeline with these photos in the pool, commit and tag it."""
        world = self.folder.parent / f"world-{tag}"
        write_world(world, ids)
        (self.folder / "forgotten.txt").write_text(forgotten)
        with pytest.MonkeyPatch.context() as patch, self.dvc() as repo:
            patch.setenv("WORLD", str(world))
            repo.reproduce()
        self.git("add", "-A")
        self.git("commit", "-qm", f"Data {tag}")
        self.git("tag", "-a", tag, "-m", tag)
        shutil.rmtree(world)

    @contextmanager
    def dvc(self):
        """DVC's repository, opened in the current folder, by which DVC finds its stages."""
        with chdir(self.folder), Repo() as repo:
            yield repo

    def git(self, *arguments):
        """Run git; what it prints."""
        done = subprocess.run(["git", *arguments], cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refs(self):
        """The names of all refs."""
        return set(self.git("for-each-ref", "--format=%(refname)").split())

    def files(self):
        """Every file of the cache and the remotes with its content."""
        return contents(self.folder / ".dvc/cache") | contents(self.remote) | contents(self.backup)


def contents(folder):
    """The content of every file below a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stage(name):
    deps, outs = STAGES[name]
    folders = " ".join(sorted({out.rpartition("/")[0] for out in outs}))
    copies = [f'cp -r "$WORLD"/{out} {out}' for out in outs]
    return {"cmd": [f"mkdir -p {folders}", *copies], "deps": deps, "outs": outs}
