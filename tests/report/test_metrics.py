import json

import pandas as pd
import pytest

from debugset.dcd import accuracy as evaluation
from debugset.report import metrics as metrics_module
from debugset.report.headings import COLUMNS
from debugset.report.inputs import Inputs
from tests.report.world import DEBUG_NAMES, RIGHT


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

    for name in ("summary", "pool", "leaks", "retention", "modes", "relations", "sparse"):
        metrics = json.loads((reported / f"metrics/{name}.json").read_text())
        for value, depth in leaves(metrics):
            assert depth <= 3
            assert not isinstance(value, float) or value == round(value, 4)


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


def test_relation_metrics(reported):
    metrics = json.loads((reported / "metrics/relations.json").read_text())
    assert metrics["unbiased"] == {"blind spot": 0, "failure mode": 0}
    assert (metrics["kept"], metrics["residual"]) == (0.1, 0.001)
    series = metrics["biased"]["bag-sandal_random_state_3"]
    assert (series["tau_1_kl"], series["tau_1_rank"], series["tau_1_mean"]) == (9.5, 1, 0.9)
    assert series["tau_0_kl"] == 0.5


def test_sparse_metrics(reported):
    metrics = json.loads((reported / "metrics/sparse.json").read_text())
    assert list(metrics) == ["original", "robust"]
    assert metrics["original"] == {
        "features": 2.0,
        "validation": 0.9,
        "test": 0.88,
        "diagnosis": 0.66,
        "kkt": 0.005,
        "corrected": 0.4,
        "corrected_by_chance": 0.1,
        "corrected_dense": 0.4,
        "test_dense": 0.87,
        "factor": 2.5,
        "hit_caused": 0.7,
        "flips_unusual": 0.33,
    }


def test_metrics_of_every_layer(reported):
    metrics = json.loads((reported / "metrics/layers.json").read_text())
    assert {model: sorted(layers) for model, layers in metrics.items()} == {
        "original": ["dense", "own", "sparse"],
        "robust": ["dense", "sparse"],
    }
    assert metrics["original"]["own"] == {"features": 6.0, "test": 0.89, "diagnosis": 0.65}
    chosen = metrics["original"]["sparse"]
    assert chosen["errors"] == 200
    assert chosen["removed_to_zero"]["2"] == {"share": 0.6, "low": 0.55, "high": 0.65, "chance": 0.2}
    assert chosen["removed_to_mean"]["2"]["share"] == 0.5
    assert chosen["blame_to_mean"]["hit_caused"] == {"value": 0.7, "low": 0.63, "high": 0.77, "chance": 0.125}
    assert chosen["blame_to_zero"]["factor"] == {"value": 2.5, "low": 2.25, "high": 2.75}
    assert chosen["swaps"]["flips_to_usual"]["chance"] == 0.35
    assert chosen["patches"]["random_place"] == {"flipped": 0.12, "low": 0.11, "high": 0.13}
    assert "patches" not in metrics["robust"]["sparse"]  # they are pasted for the first model alone


def test_without_planted_truth_layers_have_no_scores(photographs, params):
    inputs = Inputs(photographs, params, DEBUG_NAMES)
    assert not {"blame_to_zero", "swaps"} & set(metrics_module._layers(inputs)["original"]["sparse"])
    assert not {"factor", "hit_caused", "flips_unusual"} & set(metrics_module._sparse(inputs)["original"])
