"""docs/results against the committed default run: what disagrees is named, and pages hold what the metrics say."""

import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from debugset.base.files import read_json, write_json
from debugset.relations.accuracy import ENTROPY, LOW_ENTROPY, OURS
from tests.pipeline.conftest import ROOT
from tools import current
from tools.results import mending, pictures, relations_tables, shared, sparse_tables, table
from tools.results.blocks import BLOCKS, read_block, write_block

METRIC, OUT = (shared.RESULTS / name for name in ("one", "two"))
PICTURE = "plots/x.png"


@pytest.fixture
def results(tmp_path):
    """A folder with two results, one of metrics and one of outs, each with a picture."""
    write_json(tmp_path / "metrics/accuracy.json", {"variants": {"a": {"test": 0.5, "seed": 0.25}}, "chosen": "a"})
    (tmp_path / "dvc.lock").write_text("stages: {draw: {cmd: x, outs: [{path: plots/x.png, md5: abc}]}}\n")
    shares = {
        METRIC: {"metrics/accuracy.json": {"variants": {"a": {"test": 0.5}}}},
        OUT: {"dvc.lock": {PICTURE: "abc"}},
    }
    for folder, shared_part in shares.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.png").write_bytes(b"drawn")
        shared.write_run(tmp_path / folder, {"key": 1}, shared_part)
    return tmp_path


def problems(root):
    return [*shared.problems(root, METRIC), *shared.problems(root, OUT)]


def test_results_that_agree_ask_for_nothing(results):
    assert problems(results) == []
    run = read_json(results / OUT / "run.json")
    assert run["params"] == {"key": 1}
    assert list(run["files"]) == ["x.png"]


def test_numbers_outside_the_shared_part_may_change(results):
    write_json(results / "metrics/accuracy.json", {"variants": {"a": {"test": 0.5, "seed": 0.9}, "b": {}}})
    assert problems(results) == []


def test_a_number_that_changed_is_named(results):
    write_json(results / "metrics/accuracy.json", {"variants": {"a": {"test": 0.5001}}})
    (found,) = problems(results)
    assert found.startswith(f"{METRIC}/run.json: disagrees with the default run in 1 values, such as ")
    assert "metrics/accuracy.json: variants.a.test; run `make results`" in found


def test_a_number_that_is_gone_is_named(results):
    write_json(results / "metrics/accuracy.json", {"variants": 3})
    assert "such as metrics/accuracy.json: variants;" in problems(results)[0]


def test_a_picture_that_was_drawn_anew_is_named(results):
    path = results / "dvc.lock"
    path.write_text(path.read_text().replace("abc", "abd"))
    (found,) = problems(results)
    assert f"{OUT}/run.json: disagrees with the default run in 1 values, such as dvc.lock: plots/x.png" in found


def test_a_file_that_is_not_what_was_made_is_named(results):
    picture = results / OUT / "x.png"
    picture.write_bytes(b"other")
    (changed,) = problems(results)
    assert changed.startswith(f"{OUT}/x.png: missing, or not the file that run.json beside it names; run `make res")
    picture.unlink()
    assert problems(results) == [changed]


def test_a_result_that_was_never_made_is_named(results):
    (results / METRIC / "run.json").unlink()
    (found,) = problems(results)
    assert found.startswith(f"{METRIC}/run.json: missing; run `make results`")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"shared": 3}', '{"shared": {}}', "\udcff"])
def test_a_damaged_description_is_named(results, text):
    path = results / METRIC / "run.json"
    path.write_text(text, errors="surrogateescape")
    (found,) = problems(results)
    assert found.startswith(f"{METRIC}/run.json: not what `make results` writes; run `make results`")


def test_every_result_is_asked_for(tmp_path):
    metrics = {Path(f"metrics/{name}.json") for name in ("rules", "modes", "layers")}
    for page in {page for page, _ in BLOCKS} | metrics:
        (tmp_path / page).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / page, tmp_path / page)
    missing = [line for line in current.results_problems(tmp_path) if "run.json: missing" in line]
    assert [line.split("/")[2] for line in missing] == ["default", "table", "sweep", "mending", "data-versions"]


def test_every_table_is_compared(tmp_path):
    for name in ("README.md", "dvc.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("docs", "metrics"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for page, name in BLOCKS:
        write_block(tmp_path / page, name, "| 1 |")
    named = {re.match("(.*): table `(.*)` is not", line).groups() for line in current.results_problems(tmp_path)}
    assert named == {(str(page), name) for page, name in BLOCKS}


def test_the_committed_results_agree_with_the_committed_run():
    assert list(current.results_problems(ROOT)) == []


def test_a_table_of_a_page_that_is_not_what_the_metrics_say_is_named(tmp_path):
    for name in ("docs/barlow.md", "docs/sparse.md", *(f"metrics/{one}.json" for one in ("rules", "modes", "layers"))):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    assert list(pictures.problems(tmp_path)) == []
    rules = read_json(tmp_path / "metrics/rules.json")
    rules["original_by_robust"]["label"]["depth_1"]["gain"] += 0.1
    write_json(tmp_path / "metrics/rules.json", rules)
    layers = read_json(tmp_path / "metrics/layers.json")
    layers["original"]["dense"]["test"] += 0.1
    write_json(tmp_path / "metrics/layers.json", layers)
    rule, layer = pictures.problems(tmp_path)
    assert rule.startswith("docs/barlow.md: table `rules` is not what the metrics say")
    assert layer.startswith("docs/sparse.md: table `layers` is not what the metrics say")


def test_the_table_shares_the_original_and_the_first_run_with_the_default_run():
    runs = {"original": {"0": {"test": 0.9}}, "random": {"1": {"test": 0.8}, "2": {"test": 0.7}}}
    assert table.first_run(runs) == {"original": {"0": {"test": 0.9}}, "random": {"1": {"test": 0.8}}}


def test_a_page_s_table_of_other_numbers_is_named(tmp_path):
    cell = {"accuracy": 0.5, "low": 0.25, "high": 0.75}
    accuracy = {"chosen": "retrain", "variants": {"retrain": {"heldout": cell}}}
    write_json(tmp_path / table.FOLDER / "accuracy.json", accuracy)
    begin, end = "<!-- table: written by `make results` -->", "<!-- end of table -->"
    (tmp_path / "README.md").write_text(f"{begin}\n{table.markdown_table(accuracy)}\n{end}")
    assert "| **retrain** | - | 50.0 (25.0 to 75.0) |" in (tmp_path / "README.md").read_text()
    assert list(table.problems(tmp_path)) == []
    (tmp_path / "README.md").write_text((tmp_path / "README.md").read_text().replace("50.0", "50.1"))
    (found,) = table.problems(tmp_path)
    assert found.startswith("README.md: table `table` is not what the five random states say; run `make results`")


def test_the_mending_table_tells_before_and_after():
    before, after = mending.Scores(93.4, 54.1, 19.1)._asdict(), mending.Scores(60.0, 54.0, 20.0)._asdict()
    text = mending.markdown_table({"random": [before, after], "original": [before, before]})
    assert text.splitlines()[2:] == [
        "| original | 93.4 → 93.4 | 54.1 → 54.1 | 19.1 → 19.1 |",
        "| random | 93.4 → 60.0 | 54.1 → 54.0 | 19.1 → 20.0 |",
    ]


def test_the_levels_of_bias_are_a_row_each():
    rows = [
        {"tau": 0.0, "correlation": 0.02, "mean": -0.031, "kl": 0.25, "rank": 8.0, "kind": ""},
        {"tau": 1.0, "correlation": 1.0, "mean": 0.93, "kl": 10.6, "rank": 1.0, "kind": "failure mode"},
    ]
    assert relations_tables._levels(pd.DataFrame(rows)).splitlines()[2:] == [
        "| 0 | 0.02 | \N{MINUS SIGN}0.03 | 0.25 | 8 | - |",
        "| 1 | 1.00 | 0.93 | 10.60 | 1 | failure mode |",
    ]


def test_what_modes_cost_stands_beside_both_baselines():
    nothing = {"modes": 0, "ordinary": math.nan, "in_mode": math.nan, "decrease": math.nan}
    found = {"modes": 1, "ordinary": 0.9, "in_mode": 0.7, "decrease": 0.2}
    methods = ((OURS, nothing), (ENTROPY, found), (LOW_ENTROPY, found))
    rows = [{"tau": 0.5, "top": 1, "method": name, **numbers} for name, numbers in methods]
    assert relations_tables._costs(pd.DataFrame(rows)).splitlines()[2:] == [
        "| 0.5 | 1 | 0 | - | - | - | 20.0 | 90.0 | 70.0 | 20.0 |"
    ]


@pytest.fixture
def layers():
    """A chosen layer with everything measured, a model's own layer, and a model of which little is known."""

    def measured(value, **chance):
        return {"value": value, "low": value - 0.1, "high": value + 0.1, **chance}

    def removed(share):
        return {"share": share, "low": share - 0.05, "high": share + 0.05, "chance": share / 4}

    scores = dict.fromkeys(("corrected_caused", "corrected_other", "hit_other", "largest_caused"), measured(0.5))
    scores |= {"factor": {"value": 2.5, "low": 2.0}, "hit_caused": measured(0.7, chance=0.125)}  # without upper end
    swaps = dict.fromkeys(("flips_unusual", "flips_usual", "directed_raised", "directed_lowered"), measured(0.3))
    swaps |= dict.fromkeys(("flips_to_usual", "empty_to_usual"), measured(0.8, chance=0.25))
    kinds = ("hottest", "random_place", "random_images")
    chosen = {"features": 9.96, "test": 0.8812, "diagnosis": 0.6667, "errors": 1997}
    chosen |= {"removed_to_zero": {"1": removed(0.4), "2": removed(0.6), "3": removed(0.8)}}
    chosen |= {"blame_to_zero": scores, "swaps": swaps}
    chosen |= {"patches": {kind: {"flipped": 0.15, "low": 0.14, "high": 0.16} for kind in kinds}}
    own = {"features": 1280.0, "test": 0.9, "diagnosis": 0.7}
    no_errors = {"features": 3.0, "test": 1.0, "diagnosis": 1.0, "errors": 0, "removed_to_zero": {}}
    no_errors["removed_to_zero"] = {removed: {} for removed in ("1", "2", "3")}
    return {"foundation": {"dense": no_errors}, "original": {"own": own, "sparse": chosen}}


def test_sparse_layers_have_a_row_in_each_table_that_they_have_numbers_for(layers):
    tables = {name: text.splitlines()[2:] for name, text in sparse_tables.tables(layers).items()}
    assert tables["layers"] == [
        "| original, chosen | 10.0 | 88.1 | 66.7 |",
        "| original, its own | 1,280.0 | 90.0 | 70.0 |",
        "| foundation, dense | 3.0 | 100.0 | 100.0 |",
    ]
    corrected = "40.0 (35.0 to 45.0) | 10.0 | 60.0 (55.0 to 65.0) | 15.0 | 80.0 (75.0 to 85.0) | 20.0"
    assert tables["removals"] == [
        f"| original, chosen | 10.0 | 1,997 | {corrected} |",
        "| foundation, dense | 3.0 | 0 | - | - | - | - | - | - |",
    ]
    half = "50.0 (40.0 to 60.0)"
    assert tables["blame"] == [
        f"| original, chosen | to 0 | 50.0 | 50.0 | 2.50 | 70.0 (60.0 to 80.0) | 12.5 | {half} | {half} |"
    ]
    flips, usual = "30.0 (20.0 to 40.0)", "80.0 (70.0 to 90.0) | 25.0"
    assert tables["swaps"] == [f"| original, chosen | {flips} | {flips} | {usual} | {usual} | {flips} | {flips} |"]
    assert tables["patches"] == [f"| original, chosen |{' 15.0 (14.0 to 16.0) |' * 3}"]


def test_the_tables_of_sparse_layers_have_as_many_headings_as_cells(layers):
    for text in sparse_tables.tables(layers).values():
        assert len({line.count("|") for line in text.splitlines()}) == 1


def test_a_card_that_a_page_shows_and_no_run_makes_is_named(tmp_path):
    names = [name for of_page in pictures.CARDS.values() for name in of_page]
    for name in names:
        (tmp_path / f"{name}.png").touch()
    assert [path.stem for path in pictures._discussed_cards(tmp_path)] == names
    (tmp_path / f"{names[-1]}.png").unlink()
    with pytest.raises(ValueError, match=rf"^docs/sparse.md shows the card {names[-1]}, which is none now; choose"):
        pictures._discussed_cards(tmp_path)


def test_an_unknown_result_is_named():
    done = subprocess.run([sys.executable, "-m", "tools.results", "tables"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: tables: no such result; choose from pictures, table, sweep, mending, data-versions\n"
    )


def test_a_block_is_replaced_and_nothing_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n\n<!-- t: written by `make results` -->\nold\n<!-- end of t -->\n\nafter\n")
    write_block(page, "t", "| new |\n| row |")
    assert read_block(page, "t") == "| new |\n| row |"
    assert page.read_text().startswith("before\n\n<!-- t")
    assert page.read_text().endswith("-->\n\nafter\n")
    with pytest.raises(ValueError, match="expected the comments"):
        write_block(page, "u", "")
    page.write_text("<!-- end of t -->\n<!-- t: written by `make results` -->\n")
    with pytest.raises(ValueError, match="in this order; restore them from git"):
        read_block(page, "t")


def test_every_page_has_its_comments():
    for page, name in BLOCKS:
        assert read_block(ROOT / page, name).startswith("|")
