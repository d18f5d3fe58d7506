import csv

import pandas as pd
import pytest

from debugset.report.headings import COLUMNS
from tests.report.world import CLASSES, RIGHT


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


def test_biased_pairs_by_level(reported):
    table = pd.read_csv(reported / "plots/relations.csv")
    assert table["pair"].unique().tolist() == ["bag-sandal, random state 3"]
    assert table["tau"].tolist() == [0, 1]
    assert table["kl"].tolist() == [0.5, 9.5]


def test_accuracy_by_features_a_class(reported):
    table = pd.read_csv(reported / "plots/sparse.csv")
    assert list(table.columns) == ["model", "features", "test", "deployment"]
    assert table["model"].tolist() == ["original"] * 3 + ["robust"] * 3
    assert table["features"].tolist() == [1, 3, 6] * 2  # none without features: the axis is logarithmic
    assert table["test"].tolist() == [75, 80, 85, 65, 70, 75]
    assert table["deployment"].tolist() == [55, 60, 65, 45, 50, 55]
