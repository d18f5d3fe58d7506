"""The whole pipeline by real DVC, tiny: profiles/smoke.yaml in a scratch clone."""

import json
import re

import pandas as pd
import pytest
import yaml

from debugset.dcd.failures import read_modes, write_modes
from debugset.dcd.variants import VARIANTS
from debugset.images.sets import open_set
from tests.pipeline.conftest import KEYS, ROOT, new_spool

DETERMINISTIC = ("prepare", "scrape", "pick")


def locked(clone, names=None):
    """The md5 of every out in the clone's dvc.lock, of the stages called one of ``names``."""
    stages = yaml.safe_load((clone.folder / "dvc.lock").read_text())["stages"]
    return {
        out["path"]: out["md5"]
        for stage, entry in stages.items()
        for out in entry["outs"]
        if names is None or stage.split("@")[0] in names
    }


def stages_of(clone, names):
    """The resolved stages called one of ``names``."""
    stages = yaml.safe_load((clone.folder / "dvc.lock").read_text())["stages"]
    return [stage for stage in stages if stage.split("@")[0] in names]


def test_every_stage_ran_and_every_out_is_there(smoke):
    stages = smoke.dvc("stage", "list", "--name-only").split()
    assert all(f"Running stage '{stage}'" in smoke.log for stage in stages)
    assert all((smoke.folder / path).exists() for path in locked(smoke))
    assert (smoke.folder / "report" / "index.html").stat().st_size > 0


def test_a_second_run_changes_nothing(smoke):
    log = smoke.dvc("repro")
    lines = [line for line in log.splitlines() if line.startswith(("Running", "Stage", "WARNING", "ERROR"))]
    assert lines
    assert all(line.endswith("didn't change, skipping") for line in lines), log


def test_metrics_and_plots_are_shown(smoke):
    metrics = json.loads(smoke.dvc("metrics", "show", "--json"))
    shown = metrics[""]["data"]
    assert "metrics/summary.json" in shown
    assert all("error" not in entry and entry["data"] for entry in shown.values())
    log = smoke.dvc("plots", "show", "--out", "plots-page")
    assert "failed" not in log.lower()
    assert (smoke.folder / "plots-page" / "index.html").is_file()


def test_every_variant_is_measured_on_every_set_and_de_val(smoke):
    variants = json.loads((smoke.folder / "metrics" / "accuracy.json").read_text())["variants"]
    assert set(variants) == {"original", *VARIANTS}
    columns = {name: set(cells) for name, cells in variants.items()}
    assert all(found == columns["original"] for found in columns.values())
    assert {"seed", "heldout", "deval", "seed_source", "heldout_source", "test", "test_all"} <= columns["original"]
    assert variants["original"]["heldout"]["accuracy"] == variants["original"]["seed"]["accuracy"] == 0


@pytest.mark.parametrize("metrics", ["smoke", "committed"])
def test_every_class_has_more_photos_than_one_search_gives_out(smoke, metrics):
    folder = smoke.folder if metrics == "smoke" else ROOT
    pool = json.loads((folder / "metrics" / "pool.json").read_text())
    assert pool["fewest_bisections_of_a_class"] > 0


def test_an_embedder_embeds_what_later_stages_read_and_no_other_set(smoke):
    read = {"pool", "seed_source", "diagnosis", "train", "test"}
    compared = {"heldout_source"}  # with the pool, by robust distances
    for embedder, sets in (("foundation", read), ("original", read), ("robust", read | compared)):
        folders = {path.name for path in (smoke.folder / "data/features" / embedder).iterdir() if path.is_dir()}
        assert folders == sets, embedder


def test_debugset_shows_the_table(smoke):
    completed = smoke.run("python", "-m", "debugset.cli", "show", PYTHONPATH="src")
    assert completed.returncode == 0, completed.stdout
    assert "dcd-foundation" in completed.stdout
    assert str(smoke.folder / "report" / "index.html") in completed.stdout


@pytest.mark.parametrize("lock", ["smoke", "committed"])
def test_the_lock_file_holds_nothing_of_this_machine(smoke, lock):
    path = (smoke.folder if lock == "smoke" else ROOT) / "dvc.lock"
    if not path.is_file():
        pytest.skip("dvc.lock is not committed")
    pattern = r"127\.0\.0\.1|localhost|(?<![\w.])/(?:home|root|tmp|work|var|Users|mnt)/\S*"
    assert not re.findall(pattern, path.read_text())


def test_the_user_s_keys_are_nowhere(smoke):
    written = [path for path in (smoke.folder, smoke.folder.parent / "spool/scrape") for path in path.rglob("*")]
    files = [path for path in written if path.is_file()]
    assert {"dvc.lock", "scrape.json", "manifest.parquet"} <= {path.name for path in files}
    assert any(path.suffix == ".sqlite" for path in files)
    for key in KEYS.values():
        source = "tests/pipeline/conftest.py"
        told = [path for path in files if key.encode() in path.read_bytes() and not str(path).endswith(source)]
        assert not told
        assert key not in smoke.log


def test_prepare_scrape_and_picks_are_equal_bytes_when_run_anew(smoke, tmp_path):
    before = locked(smoke, DETERMINISTIC)
    spool = new_spool(tmp_path / "spool")  # nothing is remembered: the scrape asks and downloads anew
    stages = stages_of(smoke, DETERMINISTIC)
    assert {stage.split("@")[0] for stage in stages} == set(DETERMINISTIC)
    log = smoke.dvc("repro", "--force", "--single-item", "--no-run-cache", *stages, DEBUGSET_SPOOL=str(spool))
    assert log.count("Running stage") == len(stages)
    assert locked(smoke, DETERMINISTIC) == before


def test_a_mended_mode_is_collected_for_and_changes_no_mode(smoke):
    file = smoke.folder / "errors.modes"
    picks = [smoke.folder / f"data/picks/{name}.parquet" for name in ("deval", "foundation")]
    mended = debug_failures(smoke).head(2)
    assert len(mended) == 2
    assert read_modes(file).empty
    seeds_before = [set(pd.read_parquet(path)["seed_id"]) for path in picks]
    try:
        write_modes(file, mended)
        log = smoke.dvc("repro", "pick@foundation")
        assert "Running stage 'errors'" in log
        tables = [pd.read_parquet(path) for path in picks]
        assert smoke.dvc("status", "barlow").strip() == "Data and pipelines are up to date."
    finally:
        smoke.git("checkout", "errors.modes", "dvc.lock")
        smoke.dvc("checkout")
    for table, before in zip(tables, seeds_before, strict=True):
        assert set(table["seed_id"]) == {*before, *mended["image_id"]}
        of_mode = table[table["seed_id"].isin(mended["image_id"])]
        assert set(of_mode["class"]) == set(mended["label"])


def debug_failures(clone):
    """The original model's failures of debug classes on `diagnosis`, as those of one mode."""
    debug = yaml.safe_load((clone.folder / "params.yaml").read_text())["errors"]["classes"]
    table = pd.read_parquet(clone.folder / "data/errors/predictions.parquet")
    table = table[(table["set"] == "diagnosis") & (table["model"] == "original")]
    names = [open_set(clone.folder / "data/sets/diagnosis").classes[label] for label in table["label"]]
    table = table.assign(mode="label-x-1", class_name=names)
    return table[(table["label"] != table["predicted"]) & table["class_name"].isin(debug)]


def test_a_module_broken_in_a_clone_breaks_the_clone_s_stage(smoke):
    module = smoke.folder / "src" / "debugset" / "dcd" / "picks.py"
    text = module.read_text()
    try:
        module.write_text(text + "\nraise RuntimeError('broken on purpose')\n")
        completed = smoke.run("dvc", "repro", "--single-item", stages_of(smoke, ["pick"])[0])
    finally:
        module.write_text(text)
        smoke.dvc("checkout")
    assert completed.returncode != 0
    assert "broken on purpose" in completed.stdout
