import numpy as np
import pandas as pd
import pytest

from debugset.dcd.accuracy import (
    COLUMNS,
    BootstrapParams,
    Runs,
    accuracy_by_class,
    accuracy_by_run,
    accuracy_table,
    bootstrap,
    choose_embedder,
    correctness,
    evaluation_tables,
    regression_lines,
)
from tests.reference import evaluation as naive

SETS = ("seed_source", "heldout_source", "test", "deval")


def predictions_of(variant, random_states, images=40, share=0.5, sets=SETS):
    rng = np.random.default_rng([len(variant), *random_states])
    parts = []
    for random_state in random_states:
        for name in sets:
            label = np.arange(images) % 4
            predicted = np.where(rng.random(images) < share, label, (label + 1) % 4)
            ids = [f"{name}{i:03d}" for i in range(images)]
            parts.append(
                pd.DataFrame(
                    {
                        "model": variant,
                        "random_state": random_state,
                        "set": name,
                        "image_id": ids,
                        "label": label,
                        "predicted": predicted,
                    }
                )
            )
    return pd.concat(parts)


@pytest.fixture
def predictions():
    return pd.concat(
        [
            predictions_of("original", [0], sets=("seed_source", "heldout_source", "test")),
            predictions_of("retrain", [5, 6], share=0.55),
            predictions_of("random", [0, 1], share=0.6),
            predictions_of("dcd-robust", [0, 1], share=0.8),
            predictions_of("dcd-foundation", [0, 1], share=0.9),
        ],
        ignore_index=True,
    ).sample(frac=1, random_state=0)


@pytest.fixture
def failures(predictions):
    original = predictions[(predictions["model"] == "original") & (predictions["label"] != predictions["predicted"])]
    original = original[original["label"] < 2]
    role = original["set"].map({"seed_source": "seed", "heldout_source": "heldout"})
    return pd.DataFrame({"role": role, "class": original["label"], "image_id": original["image_id"]}).dropna()


def test_bootstrap_equals_the_loops():
    rng = np.random.default_rng(0)
    lists = {"original": (0,), "random": (0, 1, 2), "dcd": (0, 1, 2), "retrain": (7, 8)}
    correct = {}
    for name, states in lists.items():
        correct[name] = Runs(states, rng.integers(0, 2, (len(states), 9)).astype(np.float32))
    fast = bootstrap(correct, 20, np.random.default_rng(4))
    slow = naive.bootstrap(correct, 20, np.random.default_rng(4))
    for name in lists:
        assert fast[name] == pytest.approx(slow[name], abs=1e-6)


def test_table_has_each_column_of_each_variant(predictions, failures):
    table, _ = accuracy_table(predictions, failures, [0, 1], resamples=200)
    cell = table.set_index(["variant", "column"])
    assert cell.loc[("original", "heldout"), "accuracy"] == 0
    assert cell.loc[("original", "seed"), ["low", "high"]].tolist() == [0, 0]
    assert ("original", "deval") not in cell.index
    assert cell.loc[("random", "seed_source"), "images"] == 20
    assert cell.loc[("random", "seed_source_all"), "images"] == 40
    assert cell.loc[("random", "seed_source_all"), "runs"] == 2
    rows = predictions[(predictions["model"] == "random") & (predictions["set"] == "test")]
    expected = (rows["label"] == rows["predicted"]).mean()
    assert cell.loc[("random", "test_all"), "accuracy"] == pytest.approx(expected)
    assert (table["low"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["high"]).all()


def test_differences_are_paired(predictions, failures):
    twin = predictions[predictions["model"] == "random"].assign(model="twin")
    _, differences = accuracy_table(pd.concat([predictions, twin]), failures, [0, 1], resamples=100)
    same = differences[(differences["variant"] == "twin") & (differences["baseline"] == "random")]
    assert len(same) == 9
    assert (same[["difference", "low", "high"]] == 0).all(axis=None)
    assert set(differences["baseline"]) == {"original", "retrain", "random"}


def test_equal_input_in_any_order_gives_equal_intervals(predictions, failures):
    table, _ = accuracy_table(predictions, failures, [0, 1], 50, 3)
    again, _ = accuracy_table(predictions[::-1], failures[::-1], [1, 0], 50, 3)
    key = ["variant", "column"]
    pd.testing.assert_frame_equal(table.sort_values(key, ignore_index=True), again.sort_values(key, ignore_index=True))


def test_several_runs_widen_the_interval():
    right = np.array([[1] * 20, [0] * 20], np.float32)  # all the spread is between runs
    sampled = bootstrap({"v": Runs((0, 1), right)}, 400, np.random.default_rng(0))["v"]
    assert set(np.round(sampled, 6)) == {0, 0.5, 1}


def test_missing_or_repeated_images_are_errors(predictions):
    rows = predictions[predictions["set"] == "test"]
    with pytest.raises(ValueError, match=r"^predictions: '.*' has"):
        correctness(rows.iloc[1:])
    with pytest.raises(ValueError, match=r"^predictions: '.*' has"):
        correctness(pd.concat([rows, rows.iloc[:1]]))


def test_the_embedder_is_chosen_by_de_val(predictions, failures):
    table, _ = accuracy_table(predictions, failures, [0, 1], 10)
    assert choose_embedder(table) == "dcd-foundation"
    table.loc[table["column"] == "heldout", "accuracy"] = 1.0 * (table["variant"] == "dcd-robust")
    assert choose_embedder(table) == "dcd-foundation"
    with pytest.raises(ValueError, match=r"no dcd variant"):
        choose_embedder(table[table["variant"] == "random"])


def test_classes_without_failures_leave_empty_columns(predictions):
    table, differences = accuracy_table(
        predictions, pd.DataFrame({"role": [], "class": [], "image_id": []}), [0], resamples=10
    )
    assert not {"seed", "heldout"} & set(table["column"]) & set(differences["column"])
    assert "seed_source" in set(table["column"])


def test_accuracy_by_class_against_added_images(predictions, failures):
    table = accuracy_by_class(predictions, failures, {"random": {0: 10, 1: 30}})
    row = table.set_index(["variant", "column", "class"]).loc[("random", "heldout", 1)]
    assert row["added"] == 30
    ids = failures.loc[(failures["role"] == "heldout") & (failures["class"] == 1), "image_id"]
    rows = predictions[(predictions["model"] == "random") & predictions["image_id"].isin(ids)]
    assert row["images"] == len(ids)
    assert row["accuracy"] == pytest.approx((rows["label"] == rows["predicted"]).mean())
    assert table.loc[table["variant"] == "original", "added"].eq(0).all()


def test_regression_line():
    points = pd.DataFrame(
        {
            "variant": ["v"] * 3 + ["flat"] * 2,
            "column": "heldout",
            "class": [0, 1, 2, 0, 1],
            "accuracy": [0.1, 0.4, 0.4, 0.2, 0.3],
            "added": [10, 20, 30, 5, 5],
        }
    )
    lines = regression_lines(points).set_index("variant")
    slope, intercept = np.polyfit([10, 20, 30], [0.1, 0.4, 0.4], 1)
    expected = [slope, intercept, np.corrcoef([10, 20, 30], [0.1, 0.4, 0.4])[0, 1]]
    assert lines.loc["v", ["slope", "intercept", "r"]].tolist() == pytest.approx(expected)
    assert np.isnan(lines.loc["flat", "slope"])


def test_differences_are_taken_from_every_baseline(predictions, failures):
    complete = predictions[predictions["model"] == "random"].assign(model="complete")
    _, differences = accuracy_table(pd.concat([predictions, complete]), failures, [0, 1], resamples=10)
    assert set(differences["baseline"]) == {"original", "retrain", "random", "complete"}
    assert not (differences["variant"] == differences["baseline"]).any()


def test_each_run_s_accuracy_is_its_share_of_right_predictions(predictions, failures):
    found = accuracy_by_run(predictions, failures, [0, 1])
    one = predictions[(predictions["model"] == "random") & (predictions["random_state"] == 1)]
    heldout = one[one["image_id"].isin(failures.loc[failures["role"] == "heldout", "image_id"])]
    test = one[(one["set"] == "test") & one["label"].isin([0, 1])]
    cells = found[(found["variant"] == "random") & (found["random_state"] == 1)].set_index("column")["accuracy"]
    assert cells["heldout"] == pytest.approx((heldout["label"] == heldout["predicted"]).mean())
    assert cells["test"] == pytest.approx((test["label"] == test["predicted"]).mean())
    assert set(cells.index) == set(COLUMNS)


def test_the_runs_accuracies_average_to_the_table(predictions, failures):
    table, _ = accuracy_table(predictions, failures, [0, 1], resamples=2)
    means = accuracy_by_run(predictions, failures, [0, 1]).groupby(["variant", "column"])["accuracy"].mean()
    expected = table.set_index(["variant", "column"])["accuracy"]
    pd.testing.assert_series_equal(means.sort_index(), expected.sort_index())


def test_all_tables_of_the_evaluation_come_together(predictions, failures):
    params = BootstrapParams(resamples=100, random_state=3)
    tables = evaluation_tables(predictions, failures, [0, 1], {"random": {0: 10, 1: 30}}, params)
    accuracy, differences = accuracy_table(predictions, failures, [0, 1], 100, 3)
    pd.testing.assert_frame_equal(tables["accuracy"], accuracy)
    pd.testing.assert_frame_equal(tables["differences"], differences)
    assert set(tables) == {"accuracy", "differences", "by_run", "by_class", "lines"}
    assert tables["by_class"].query("variant == 'random'")["added"].isin([10, 30]).all()
    assert set(tables["lines"]["variant"]) == set(predictions["model"])
