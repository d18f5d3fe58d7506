import numpy as np
import pandas as pd
import pytest

from debugset.report.numbers import rule_gains, variants_adding_alike


def test_gains_are_means_over_the_groups_that_are_explained():
    groups = pd.DataFrame(
        {
            "analysed": "original",
            "features": "robust",
            "grouping": ["label", "label", "label", "prediction"],
            "depth": 1,
            "reason": ["", "", "no failures", ""],
            "gain": [0.1, 0.3, np.nan, 0.5],
            "heldout_gain": 0.1,
            "chance_gain": 0.0,
            "chance_gain_95": 0.0,
            "valid": pd.array([True, False, None, True], dtype="boolean"),
        }
    )
    label, prediction = rule_gains(groups)
    assert (label["grouping"], label["groups"], label["valid"]) == ("label", 2, 0.5)
    assert label["gain"] == pytest.approx(0.2)
    assert (prediction["grouping"], prediction["groups"]) == ("prediction", 1)


def test_random_and_picked_images_are_about_as_many():
    table = pd.DataFrame({"variant": ["original", "retrain", "random", "complete", "dcd-robust", "dcd-pixels"]})
    assert variants_adding_alike(table)["variant"].tolist() == ["random", "dcd-robust", "dcd-pixels"]
