"""The smoke run's world in two data versions."""

import shutil

from tests.pipeline.conftest import clone_of

SNAPSHOTS = {"data-v1": "2023-12-31", "data-v2": "2024-12-31"}


def later_snapshot(clone, folder):
    """A clone of a clone that has data-v1, with its cache and spool, in which data-v2 has run and is tagged."""
    other = clone_of(clone, folder)
    other.environment["DEBUGSET_SPOOL"] = clone.environment["DEBUGSET_SPOOL"]
    shutil.copytree(clone.folder / ".dvc" / "cache", other.folder / ".dvc" / "cache")
    other.dvc("checkout")
    other.outs_of = {"data-v1": outs(other)}
    params = other.folder / "params.yaml"
    text = params.read_text()
    old, new = SNAPSHOTS.values()
    assert text.count(f'snapshot: "{old}"') == 1
    params.write_text(text.replace(f'snapshot: "{old}"', f'snapshot: "{new}"'))
    assert "Running stage 'scrape'" in other.dvc("repro")
    other.outs_of["data-v2"] = outs(other)
    assert other.outs_of["data-v1"] != other.outs_of["data-v2"]
    other.commit("the later snapshot", "data-v2")
    return other


def outs(clone):
    """Path and content of every file under data and models."""
    files = [path for name in ("data", "models") for path in (clone.folder / name).rglob("*") if path.is_file()]
    return {str(path.relative_to(clone.folder)): path.read_bytes() for path in files}
