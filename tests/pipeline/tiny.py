"""The smallest run of the whole graph: profiles/smoke.yaml made smaller still, by a warm Python."""

import re
from contextlib import contextmanager

import yaml

from tests.pipeline.conftest import ROOT, make_clone
from tests.pipeline.warm_python import warm_python

SNAPSHOTS = {"data-v1": "2023-12-31", "data-v2": "2024-12-31"}
OVERRIDES = {
    "prepare": {"train": 120, "test": 60, "mfreq": 40, "complement": 60, "deployment": 60, "photos_per_class": 40},
    "recipe": {"steps": 4, "batch": 16},
    "robust": {"steps": 2, "attack_steps": 1, "clean_steps": 1, "evaluation_steps": 1, "evaluation_images": 8},
    "report": {"seeds_shown": 2, "border_pairs": 2},
}


@contextmanager
def tiny_clone(folder):
    """Yield a scratch clone with tiny params, nothing run yet."""
    params = yaml.safe_load((ROOT / "profiles" / "smoke.yaml").read_text())
    for section, values in OVERRIDES.items():
        params[section] |= values
    (folder / "tiny.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    with warm_python(folder) as binaries:
        clone = make_clone(folder, folder / "tiny.yaml")
        clone.environment["PATH"] = f"{binaries}:{clone.environment['PATH']}"
        yield clone


@contextmanager
def two_versions(folder):
    """Yield a tiny clone in which both snapshots have run and are committed and tagged."""
    with tiny_clone(folder) as clone:
        clone.outs_of = {}
        for tag, snapshot in SNAPSHOTS.items():
            params = clone.folder / "params.yaml"
            params.write_text(re.sub(r"snapshot: '[\d-]+'", f"snapshot: '{snapshot}'", params.read_text()))
            assert "Running stage 'scrape'" in clone.dvc("repro")
            clone.outs_of[tag] = outs(clone)
            clone.commit(tag, tag)
        assert clone.outs_of["data-v1"] != clone.outs_of["data-v2"]
        yield clone


def outs(clone):
    """Path and content of every file under data and models."""
    files = [path for name in ("data", "models") for path in (clone.folder / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(clone.folder)): path.read_bytes() for path in files}
