import csv
import filecmp
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from debugset.base.params import ParamsError, check
from debugset.dcd import accuracy as evaluation
from debugset.report.params import ReportParams
from debugset.report.text_table import COLUMNS
from debugset.report.write import write_report
from tests.report.world import CLASSES, DEBUG_NAMES, RIGHT, write_world

WRITTEN = (
    "metrics/accuracy.json",
    "metrics/leaks.json",
    "metrics/modes.json",
    "metrics/pool.json",
    "metrics/relations.json",
    "metrics/retention.json",
    "metrics/rules.json",
    "metrics/summary.json",
    "plots/accuracy.csv",
    "plots/accuracy.png",
    "plots/classes.csv",
    "plots/gains.csv",
    "plots/modes.csv",
    "plots/relations.csv",
    "plots/relations.png",
    "plots/retention.csv",
    "plots/seeds_and_picks.png",
    "report/cards",
    "report/cards/label-dress-1.png",
    "report/cards/prediction-bag-1.png",
    "report/index.html",
)


def written(root):
    folders = ("metrics", "plots", "report")
    return sorted(str(path.relative_to(root)) for folder in folders for path in (root / folder).rglob("*"))


def test_everything_is_written_and_nothing_else(reported):
    assert tuple(written(reported)) == WRITTEN


def test_the_same_inputs_give_the_same_bytes(reported, tmp_path, params):
    write_world(tmp_path)
    write_report(tmp_path, params, DEBUG_NAMES)
    files = [name for name in WRITTEN if (reported / name).is_file()]
    _, different, failed = filecmp.cmpfiles(reported, tmp_path, files, shallow=False)
    assert (different, failed) == ([], [])
    assert str(tmp_path) not in (tmp_path / "report/index.html").read_text()


def test_accuracy_metrics_are_shares_of_the_predictions(reported):
    metrics = json.loads((reported / "metrics/accuracy.json").read_text())
    assert set(metrics) == {"variants", "runs", "differences", "chosen"}
    assert set(metrics["variants"]) == {"original", *RIGHT}
    predictions = pd.read_parquet(reported / "data/evaluation/predictions.parquet")
    for variant in RIGHT:
        rows = predictions[(predictions["model"] == variant) & (predictions["set"] == "test")]
        cell = metrics["variants"][variant]["test_all"]
        assert cell["accuracy"] == pytest.approx((rows["label"] == rows["predicted"]).mean(), abs=1e-4)
        assert cell["low"] <= cell["accuracy"] <= cell["high"]
        assert cell["images"] == len(rows)
        assert set(metrics["variants"][variant]) == set(evaluation.COLUMNS) == set(COLUMNS)
        last = rows[rows["random_state"] == rows["random_state"].max()]
        run = metrics["runs"][variant][str(rows["random_state"].max())]
        assert run["test_all"] == pytest.approx((last["label"] == last["predicted"]).mean(), abs=1e-4)
    assert metrics["variants"]["original"]["heldout"]["accuracy"] == 0
    scores = {name: cells["heldout"]["accuracy"] for name, cells in metrics["variants"].items()}
    difference = metrics["differences"]["dcd-robust"]["random"]["heldout"]["difference"]
    assert difference == pytest.approx(scores["dcd-robust"] - scores["random"], abs=2e-4)


def test_the_embedder_is_chosen_by_de_val(reported):
    metrics = json.loads((reported / "metrics/accuracy.json").read_text())
    deval = {name: cells["deval"]["accuracy"] for name, cells in metrics["variants"].items() if name.startswith("dcd-")}
    assert metrics["chosen"] == max(deval, key=deval.get)


def test_pool_metrics_count_what_the_files_hold(reported):
    metrics = json.loads((reported / "metrics/pool.json").read_text())
    manifest = pd.read_parquet(reported / "data/pool/manifest.parquet")
    keep = pd.read_parquet(reported / "data/dedup/keep.parquet")
    assert metrics["images"] == len(manifest)
    assert metrics["kept"] == keep["keep"].sum()
    assert metrics["removed"] == {"duplicate": 2, "leak": (keep["reason"] == "leak").sum()}
    assert metrics["weak_label_precision"] == pytest.approx(
        (manifest["label"] == manifest["true_label"]).mean(), abs=1e-4
    )
    assert sum(metrics["planted"].values()) == (manifest["planted"] != "").sum()


def test_metrics_are_rounded_and_shallow(reported):
    def leaves(value, depth=0):
        if isinstance(value, dict):
            for item in value.values():
                yield from leaves(item, depth + 1)
        else:
            yield value, depth

    for name in ("summary", "pool", "leaks", "retention", "modes", "relations"):
        metrics = json.loads((reported / f"metrics/{name}.json").read_text())
        for value, depth in leaves(metrics):
            assert depth <= 3
            assert not isinstance(value, float) or value == round(value, 4)


def test_plot_tables(reported):
    with (reported / "plots/accuracy.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["variant"] for row in rows] == ["original", "retrain", "random", "complete", *list(RIGHT)[3:]]
    assert list(rows[0]) == ["variant", *COLUMNS]
    classes = pd.read_csv(reported / "plots/classes.csv")
    assert set(classes["class"]) == {CLASSES[label] for label in (0, 2, 3)}
    retention = pd.read_csv(reported / "plots/retention.csv")
    assert {"foundation_class", "chance_context", "k"} <= set(retention.columns)
    assert retention["k"].is_monotonic_increasing


def test_the_curves_of_the_figures_fall_over_the_classes(reported):
    gains = pd.read_csv(reported / "plots/gains.csv")
    assert gains["classes"].tolist() == [25, 50, 75, 100]  # one of five classes is left out
    names = {
        f"{a}_{g}_{d}" for a in ("original", "robust") for g in ("label", "prediction") for d in ("shallow", "deep")
    }
    assert set(gains.columns) == {"classes", *names}
    assert gains["original_label_deep"].tolist() == pytest.approx([0.34, 0.33, 0.32, 0.3])
    assert gains["robust_prediction_shallow"].tolist() == pytest.approx([0.14, 0.13, 0.12, 0.1])


def test_modes_before_and_after(reported):
    table = pd.read_csv(reported / "plots/modes.csv")
    assert len(table) == 3 * len(RIGHT)
    assert (table["original"] == 65).all()
    assert table.groupby("variant")["error_rate"].first()["dcd-original"] == pytest.approx(100 * (0.7 - 0.46))


def test_mode_metrics(reported):
    metrics = json.loads((reported / "metrics/modes.json").read_text())
    assert (metrics["found"], metrics["hold"]) == (3, 2)
    assert metrics["error_rate"]["original"] == 0.65
    assert set(metrics["error_rate"]) == {"original", *RIGHT}
    assert metrics["planted"]["robust_label_1"] == {"precision": 0.9, "recall": 0.7, "base": 0.66}
    rules = json.loads((reported / "metrics/rules.json").read_text())
    assert set(rules) == {"original_by_robust", "original_by_pixels", "robust_by_robust"}
    cell = rules["original_by_robust"]["label"]["depth_3"]
    assert cell["gain"] == pytest.approx(0.3225)  # the mean over the classes that are explained
    assert cell["valid"] == 0.75


def test_relation_metrics_and_plot(reported):
    metrics = json.loads((reported / "metrics/relations.json").read_text())
    assert metrics["unbiased"] == {"blind spot": 0, "failure mode": 0}
    assert (metrics["kept"], metrics["residual"]) == (0.1, 0.001)
    series = metrics["biased"]["bag-sandal_random_state_3"]
    assert (series["tau_1_kl"], series["tau_1_rank"], series["tau_1_mean"]) == (9.5, 1, 0.9)
    assert series["tau_0_kl"] == 0.5
    table = pd.read_csv(reported / "plots/relations.csv")
    assert table["pair"].unique().tolist() == ["bag-sandal, random state 3"]
    assert table["tau"].tolist() == [0, 1]
    assert table["kl"].tolist() == [0.5, 9.5]


def test_a_profile_without_attributes_reports_so(tmp_path, params):
    write_world(tmp_path)
    for path in (tmp_path / "data/relations").iterdir():
        path.unlink()
    write_report(tmp_path, params, DEBUG_NAMES)
    assert json.loads((tmp_path / "metrics/relations.json").read_text()) == {}
    assert pd.read_csv(tmp_path / "plots/relations.csv").empty
    assert Image.open(tmp_path / "plots/relations.png").size[0] > 100
    assert "This profile has no images with attributes" in (tmp_path / "report/index.html").read_text()


@pytest.mark.parametrize("path", ["accuracy", "relations", "seeds_and_picks", "../report/cards/label-dress-1"])
def test_pictures_show_something(reported, path):
    image = Image.open(reported / f"plots/{path}.png")
    assert image.size[0] > 1000
    assert np.asarray(image.convert("L")).std() > 10
    assert "Software" not in image.info


def test_wrong_params_are_named():
    with pytest.raises(ParamsError, match=r"`report\.seeds_shown`"):
        check({"report": {"seeds_shown": 0}}, "report", ReportParams)


def test_params_import_nothing_heavy():
    code = "import sys, debugset.report.params; print({'matplotlib', 'pandas', 'jinja2'} & set(sys.modules))"
    environment = {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "set()"
