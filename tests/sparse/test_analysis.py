"""What the layers of a model explain of their errors, as the tables of stage sparse."""

import json

import numpy as np
import pandas as pd
import pytest

from debugset.sparse.analysis import Exchanged, cards_frame, explain_errors_of, planted_truth
from debugset.sparse.layer import DecisionLayer
from debugset.sparse.mending import try_deletions
from debugset.sparse.removals import corrected_shares, find_removals
from tests.features.shards import in_shards
from tests.sparse.fitting_toys import CLASSES, WIDTH, image_set, params
from tests.sparse.removal_toys import random_problem

CONTEXTS = ["grass", "grass", "brick", "sand"]
USUAL = {(0, "grass"), (1, "brick"), (2, "sand")}


@pytest.fixture(scope="module")
def measured():
    return image_set("diagnosis", 90, 2)


@pytest.fixture(scope="module")
def layers():
    sparse, _, _ = random_problem(10, WIDTH, CLASSES, random_state=1, density=0.5)
    dense, _, _ = random_problem(10, WIDTH, CLASSES, random_state=2)
    return {"sparse": sparse, "dense": dense}


def exchange(measured, rows, change=lambda features: features):
    """Images on four backgrounds, by a function of their features, and backgrounds alone."""
    features = np.repeat(measured.features[rows][:, None], len(CONTEXTS), axis=1)
    own_contexts = np.array(["grass", "brick", "sand"], object)[np.arange(len(measured.labels)) % 3]
    empty = np.zeros((3, WIDTH), np.float32)
    empty[2, 2] = 1
    return Exchanged(rows, change(features), CONTEXTS, empty, ["grass", "brick", "sand"], own_contexts, USUAL)


def of(table, **key):
    """The rows of a table, without the columns that name them."""
    for column, value in key.items():
        table = table[table[column] == value]
    return table.drop(columns=list(key)).reset_index(drop=True)


def test_every_layer_is_explained_by_either_removal(layers, measured):
    asked = params()
    tables = explain_errors_of(layers, measured, asked)
    assert sorted(tables) == ["deletions", "removal_shares", "removals"]
    for name, layer in layers.items():
        for removal in ("zero", "mean"):
            found = find_removals(layer, *measured, removal=removal, random_state=3)
            pd.testing.assert_frame_equal(of(tables["removals"], layer=name, removal=removal), found)
            shares = corrected_shares(found, 100, 3)
            pd.testing.assert_frame_equal(of(tables["removal_shares"], layer=name, removal=removal), shares)
        by_zero = find_removals(layer, *measured, random_state=3)
        deletions = try_deletions(layer, *measured, by_zero, random_state=3)
        pd.testing.assert_frame_equal(of(tables["deletions"], layer=name), deletions)


def test_features_in_shards_give_the_same_tables(layers, measured):
    shards = measured._replace(features=in_shards(measured.features, np.arange(90) % 4))
    exchanged, asked = exchange(measured, np.arange(0, 90, 2)), params()
    tables, again = (explain_errors_of(layers, one, asked) for one in (measured, shards))
    tables |= planted_truth(layers, measured, exchanged, tables["removals"], asked)
    again |= planted_truth(layers, shards, exchanged, again["removals"], asked)
    for name, table in tables.items():
        pd.testing.assert_frame_equal(again[name], table)


def test_cards_are_of_errors_that_one_feature_corrects_and_of_others(layers, measured):
    layer = layers["sparse"]
    errors = find_removals(layer, *measured)
    cards = cards_frame(layer, measured, errors, params(cards=5, shown=2))
    heads = cards.drop_duplicates("card")
    assert heads["card"].tolist() == [0, 1, 2, 3, 4]
    assert [size == 1 for size in heads["size"]] == [True, True, True, True, False]  # two thirds, rounded up
    for row in cards.itertuples():
        error = errors[errors["image_id"] == row.image_id].iloc[0]
        assert (row.label, row.predicted, row.size) == (error["label"], error["predicted"], error["size"])
        image = measured.ids.tolist().index(row.image_id)
        class_ = row.label if row.role == "true" else row.predicted
        weight, activation = layer.weights[row.feature, class_], measured.features[image, row.feature]
        assert (row.weight, row.activation) == (weight, activation)
        assert row.amount == pytest.approx(weight * activation)
    for _, card in cards.groupby("card"):
        removed = card[card["role"] == "removed"]["feature"].tolist()
        error = errors[errors["image_id"] == card["image_id"].iloc[0]].iloc[0]
        assert removed == json.loads(error["features"])
        for role in ("predicted", "true"):
            rows = card[card["role"] == role]
            assert rows["rank"].tolist() == list(range(len(rows)))
            assert len(rows) <= 2
            assert (-rows["amount"].abs()).is_monotonic_increasing


def test_no_cards_are_asked_for(layers, measured):
    errors = find_removals(layers["sparse"], *measured)
    cards = cards_frame(layers["sparse"], measured, errors, params(cards=0))
    assert cards.empty
    assert {"card", "image_id", "role", "rank", "feature", "amount"} <= set(cards)


def test_a_background_that_alone_misleads_is_the_cause(measured):
    """Feature 3 says class 0 and is gone on other backgrounds; feature 4 says class 1 and stays."""
    weights = np.zeros((WIDTH, CLASSES))
    weights[[0, 1, 2], [0, 1, 2]] = 4.0
    weights[3, 0] = weights[4, 1] = 50.0
    layer = DecisionLayer(weights, np.zeros(CLASSES), np.zeros(WIDTH), np.ones(WIDTH))
    features = np.zeros((6, WIDTH), np.float32)
    labels = np.array([1, 2, 2, 0, 0, 2])
    features[np.arange(6), labels] = 1
    features[:2, 3] = features[2:4, 4] = 1
    few = measured._replace(features=features, labels=labels, ids=np.array(list("abcdef"), object))

    def elsewhere(images):
        images[:, :, 3] = 0
        return images

    layers = {"sparse": layer}
    exchanged = exchange(few, np.array([0, 5, 2, 3]), elsewhere)  # neither b nor e is exchanged
    removals = explain_errors_of(layers, few, params())["removals"]
    tables = planted_truth(layers, few, exchanged, removals, params())
    causes = tables["causes"]
    assert causes["image_id"].tolist() == ["a", "c", "d"]
    assert causes["caused"].tolist() == [True, False, False]
    assert causes["fell_most"].tolist()[0] == 3
    blame = of(tables["blame"], layer="sparse", removal="zero").set_index("measure")
    assert blame["count"].to_dict() | {"factor": 0} == {
        "corrected_caused": 1,
        "corrected_other": 2,
        "hit_caused": 1,
        "largest_caused": 1,
        "hit_other": 2,
        "factor": 0,
    }
    assert blame["value"][["corrected_caused", "corrected_other", "hit_caused", "factor"]].tolist() == [1, 1, 1, 1]
    assert set(tables["blame"]["removal"]) == {"zero", "mean"}
    swaps = of(tables["swaps"], layer="sparse").set_index("measure")
    # Only f is right of those exchanged; sand is usual for it, one of four backgrounds.
    assert swaps["count"].to_dict() == {
        "flips_unusual": 3,
        "flips_usual": 1,
        "flips_to_usual": 0,
        "empty_to_usual": 3,
        "directed_raised": 6,  # by two features each of classes 0 and 1: on brick once, on grass twice
        "directed_lowered": 4,
    }
    assert swaps["value"][["flips_unusual", "flips_usual"]].tolist() == [0, 0]
    assert swaps["value"]["empty_to_usual"] == pytest.approx(2 / 3)  # classes 0, 0 and 2 on grass, brick and sand


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("wrong", [0, 1], ids=["all right", "all wrong"])
def test_layers_without_errors_or_without_anything_right_have_tables_all_the_same(layers, measured, wrong):
    layer = layers["dense"]
    ideal = measured._replace(labels=(layer.predict(measured.features) + wrong) % CLASSES)
    asked = params()
    tables = explain_errors_of({"dense": layer}, ideal, asked)
    tables |= planted_truth({"dense": layer}, ideal, exchange(ideal, np.arange(20)), tables["removals"], asked)
    cards = cards_frame(layer, ideal, tables["removals"].query("removal == 'zero'"), asked)
    blame, swaps = tables["blame"].set_index("measure"), tables["swaps"].set_index("measure")
    if wrong:
        assert len(tables["causes"]) == 20
        assert swaps.loc[["flips_unusual", "directed_raised"], "count"].tolist() == [0, 0]
        assert swaps.loc["flips_unusual", ["value", "low", "high"]].isna().all()
    else:
        assert tables["removals"].empty and tables["causes"].empty and tables["deletions"].empty and cards.empty
        assert tables["removal_shares"]["errors"].tolist() == [0] * 6
        assert tables["removal_shares"][["share", "chance"]].isna().all(axis=None)
        assert blame["value"].isna().all() and (blame["count"] == 0).all()
        assert swaps.loc["flips_usual", "value"] == 0
