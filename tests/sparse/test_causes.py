"""Errors that their background caused, and whether blame finds the feature that reacts to it."""

import numpy as np
import pandas as pd
import pytest

from debugset.sparse.causes import causes_frame, score_blame
from debugset.sparse.layer import DecisionLayer
from tests.reference import causes as naive

COLUMNS = ["predicted", "wins", "caused", "used", "fell_most", "largest"]


def random_errors(random_state):
    """A sparse layer whose class 3 uses no feature, and errors with whole numbers, so that ties are frequent."""
    rng = np.random.default_rng(random_state)
    weights = np.where(rng.random((6, 4)) < 0.6, rng.integers(-2, 3, (6, 4)), 0).astype(float)
    weights[:, 3] = 0
    layer = DecisionLayer(weights, np.array([0.0, 0, 0, 4]), np.zeros(6), np.ones(6))
    features = rng.integers(0, 4, (80, 6)).astype(np.float32)
    labels = (layer.predict(features) + rng.integers(1, 4, 80)) % 4
    return layer, labels, features, rng.integers(0, 4, (80, 4, 6)).astype(np.float32)


@pytest.mark.parametrize("random_state", range(4))
def test_what_other_backgrounds_make_of_errors_equals_the_naive_twin(random_state):
    layer, labels, features, exchanged = random_errors(random_state)
    ids = [f"{row}" for row in range(80)]
    frame = causes_frame(layer, ids, labels, features, exchanged)
    assert frame["image_id"].tolist() == ids
    assert frame["label"].tolist() == labels.tolist()
    assert list(frame[COLUMNS].itertuples(index=False, name=None)) == naive.causes(layer, labels, features, exchanged)
    assert set(frame.loc[frame["predicted"] == 3, "largest"]) == {-1}
    assert frame["caused"].nunique() == 2


def test_half_of_the_backgrounds_make_a_cause():
    layer = DecisionLayer(np.array([[1.0, 0.0], [0.0, 1.0]]), np.zeros(2), np.zeros(2), np.ones(2))
    right, wrong = [0.0, 1.0], [1.0, 0.0]
    frame = causes_frame(
        layer,
        ["a", "b"],
        [1, 1],
        np.array([wrong, wrong]),
        np.array([[right, right, wrong, wrong], [right] + [wrong] * 3]),
    )
    assert frame["wins"].tolist() == [2, 1]
    assert frame["caused"].tolist() == [True, False]


def test_the_push_that_fell_most_is_not_the_largest_contribution():
    weights = np.array([[3.0, 3.0], [1.0, 0.0], [2.0, 1.0], [0.0, -9.0]])
    layer = DecisionLayer(weights, np.zeros(2), np.zeros(4), np.ones(4))
    features, elsewhere = np.array([[2.0, 2.0, 1.0, 1.0]]), np.array([[[0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]]])
    frame = causes_frame(layer, ["a"], [1], features, elsewhere)
    # Feature 0 fell as much for both classes; 3 fell most of all, but the predicted class does not use it.
    assert frame[["predicted", "used", "fell_most", "largest"]].iloc[0].tolist() == [0, 3, 1, 0]


def test_arguments_that_do_not_fit_are_named():
    layer, labels, features, exchanged = random_errors(0)
    ids = [f"image-{row}" for row in range(80)]
    right = labels.copy()
    right[7] = layer.predict(features)[7]
    with pytest.raises(ValueError, match="labels: the layer predicts image image-7 rightly; pass errors alone"):
        causes_frame(layer, ids, right, features, exchanged)
    with pytest.raises(ValueError, match="labels: 4 is none of the layer's 4 classes"):
        causes_frame(layer, ids, np.full(80, 4), features, exchanged)
    for wrong in (exchanged[:, :0], exchanged[:-1], exchanged[:, 0], exchanged[:, 0, 0], exchanged[..., :-1]):
        with pytest.raises(
            ValueError, match=r"exchanged: expected the features of every error .* \(80, backgrounds, 6\)"
        ):
            causes_frame(layer, ids, labels, features, wrong)


def scored(blamed, **changes):
    """Scores by measure of ten errors, six of them caused; the rows of the blames are in another order."""
    causes = pd.DataFrame(
        {
            "image_id": [*"abcdefghij"],
            "caused": [True] * 6 + [False] * 4,
            "used": [2, 4, 4, 4, 2, 5, 10, 5, 1, 0],
            "fell_most": [1, 2, 3, 4, 5, 6, 7, 8, 9, -1],
            "largest": [1, 0, 3, 0, 5, 0, 7, 8, 9, -1],
        }
    ).assign(**changes)
    blames = pd.DataFrame({"image_id": [*"abcdefghijk"], "blamed": [*blamed, 1]}).iloc[::-1]
    return score_blame(causes, blames, 300, 0).set_index("measure")


def test_scores_of_blame_counted_by_hand():
    table = scored([1, 0, 0, 4, -1, -1, 7, -1, -1, -1])
    assert table["count"].to_dict() == {
        "corrected_caused": 6,
        "corrected_other": 4,
        "hit_caused": 4,
        "largest_caused": 4,
        "hit_other": 1,
        "factor": 10,
    }
    assert table["value"].tolist() == pytest.approx([4 / 6, 1 / 4, 2 / 4, 2 / 4, 1, 8 / 3])
    assert table.loc[["hit_caused", "largest_caused"], "chance"].tolist() == pytest.approx([(0.5 + 3 / 4) / 4] * 2)
    assert table.loc["hit_other", "chance"] == pytest.approx(0.1)
    assert table.loc[["corrected_caused", "corrected_other", "factor"], "chance"].isna().all()
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    assert (
        table.loc[["corrected_caused", "hit_caused"], "low"] < table.loc[["corrected_caused", "hit_caused"], "high"]
    ).all()


def test_the_largest_contribution_is_scored_on_the_same_errors_as_blame():
    assert scored([0, 2, -1, 4, -1, -1] + [-1] * 4).loc["largest_caused", ["count", "value"]].tolist() == [3, 1 / 3]


def test_the_interval_of_the_factor_is_that_of_shares_that_vary():
    causes = pd.DataFrame({"image_id": np.arange(400).astype(str), "caused": np.arange(400) < 200})
    causes = causes.assign(used=5, fell_most=0, largest=0)
    blamed = np.where(np.arange(400) % 200 < np.where(causes["caused"], 120, 60), 0, -1)
    table = score_blame(causes, causes[["image_id"]].assign(blamed=blamed), 2000, 0).set_index("measure")
    low, high = table.loc["factor", "low"], table.loc["factor", "high"]
    # Of log(0.6 / 0.3) the standard error is sqrt(0.4 / 120 + 0.7 / 60) = 0.122.
    assert (low, high) == pytest.approx((2 * np.exp(-1.96 * 0.122), 2 * np.exp(1.96 * 0.122)), rel=0.06)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("nothing", ["caused", "other", "corrected"])
def test_what_cannot_be_said_is_nan(nothing):
    blamed = [-1] * 10 if nothing == "corrected" else [1, 2, 3] * 3 + [1]
    changes = {} if nothing == "corrected" else {"caused": nothing == "other"}
    table = scored(blamed, **changes)
    assert table.loc["factor", ["value", "low", "high"]].isna().all()
    missing = {"caused": ["corrected_caused", "hit_caused"], "other": ["corrected_other", "hit_other"]}
    for measure in missing.get(nothing, ["hit_caused", "hit_other"]):
        assert table.loc[measure, ["value", "low", "high", "chance"]].isna().all()
        assert table.loc[measure, "count"] == 0


def test_a_factor_over_few_errors_has_no_upper_end():
    table = scored([1, 2, 3, 4, -1, -1, 7, -1, -1, -1])
    assert table.loc["factor", "value"] == pytest.approx(8 / 3)
    assert table.loc["factor", "high"] == np.inf  # three of ten resamples hold no other error that is corrected


def test_blames_of_other_errors_are_refused():
    causes = pd.DataFrame({"image_id": ["a", "b"], "caused": True, "used": 1, "fell_most": 0, "largest": 0})
    for ids in (["a"], ["a", "b", "b"]):
        with pytest.raises(ValueError, match="blames: expected one row for each error of causes"):
            score_blame(causes, pd.DataFrame({"image_id": ids, "blamed": 0}), 10, 0)
