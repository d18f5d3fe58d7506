import pytest

from debugset.report.inputs import Inputs
from debugset.report.sparse_tables import SparseTables
from tests.report.world import DEBUG_NAMES


@pytest.fixture
def tables(world, params):
    return SparseTables(Inputs(world, params, DEBUG_NAMES))


def test_models_stand_in_their_own_order_and_layers_have_names(tables):
    assert tables.models == ["original", "robust"]
    assert list(tables.names.values())[2:4] == [
        "original, its own: 6.0 features a class",
        "robust, chosen: 3.0 features a class",
    ]


def test_removals_are_a_row_a_layer_of_one_removal(tables):
    zero, mean = tables.removal_rows("zero"), tables.removal_rows("mean")
    names = list(tables.names.values())
    assert [row["name"] for row in zero] == [row["name"] for row in mean] == [*names[:2], *names[3:]]
    assert (zero[0]["model"], zero[0]["errors"], list(zero[0]["by_size"])) == ("original", 200, [1, 2, 3])
    assert zero[0]["by_size"][2]["share"] == pytest.approx(0.6)
    assert mean[0]["by_size"][2]["share"] == pytest.approx(0.5)


def test_blame_is_a_row_a_layer_and_removal_and_swaps_a_row_a_layer(tables):
    blame, swaps = tables.measures("blame"), tables.measures("swaps")
    assert [row["removal"] for row in blame] == ["zero"] * 4 + ["mean"] * 4
    assert len({row["name"] for row in blame}) == 4
    assert blame[0]["measures"]["factor"]["value"] == 2.5
    assert [row["removal"] for row in swaps] == [""] * 4
    assert len(swaps[0]["measures"]) == 6


def test_without_exchanged_backgrounds_there_are_no_measures(photographs, params):
    tables = SparseTables(Inputs(photographs, params, DEBUG_NAMES))
    assert tables.measures("blame") == tables.measures("swaps") == []


def test_weights_are_those_of_the_chosen_layer_whose_features_are_pictured(tables):
    shown = tables.shown_weights
    assert shown[["class", "feature"]].to_numpy().tolist() == [[0, 0], [0, 1], [2, 1], [3, 2], [3, 0], [4, 3]]
    assert set(shown["layer"]) == {"sparse"}


def test_a_feature_has_a_lane_a_kind_and_captions_where_pictures_have_values(tables):
    lanes = tables.feature_lanes(2)
    assert [lane.title for lane in lanes] == [
        "strongest of all",
        "where: its map",
        "where: its gradient",
        "changed to raise it",
    ]
    assert [lane.captions for lane in lanes][:2] == [["2.50", "2.25", "2.00"], ["", "", ""]]
    assert tables.feature_lanes(5) == []  # no pictures of it were made
