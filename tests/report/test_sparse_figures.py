import numpy as np
import pandas as pd
import pytest

from debugset.report import sparse_figures
from debugset.report.drawing import drawing
from debugset.report.inputs import Inputs
from debugset.report.sparse_tables import SparseTables
from tests.report.world import DEBUG_NAMES


@pytest.fixture
def tables(world, params):
    return SparseTables(Inputs(world, params, DEBUG_NAMES))


def words(panel):
    return [text.get_text() for text in panel.texts]


def test_each_model_has_a_panel_with_its_curves_its_chosen_layer_and_its_own(tables):
    with drawing(1, 2, (6.4, 3.2), sharey=True) as (_, axes):
        sparse_figures.curves(axes, tables.table("path"), tables.table("layers"))
        original, robust = axes
        assert [panel.get_title(loc="left") for panel in axes] == ["original", "robust"]
        assert original.get_xscale() == "log"
        lines = {line.get_label(): line for line in original.lines}
        assert lines["test"].get_xdata().tolist() == [1, 3, 6]  # no layer without features
        np.testing.assert_allclose(lines["test"].get_ydata(), [75, 80, 85])
        np.testing.assert_allclose(lines["deployment"].get_ydata(), [55, 60, 65])
        rings = [line.get_xydata().tolist() for line in original.lines if line.get_marker() == "o"]
        np.testing.assert_allclose(rings, [[[2, 88]], [[2, 66]]])
        assert words(original) == ["88.0", "66.0"]
        assert len(original.lines) - len(robust.lines) == 2  # the robust model has no layer of its own


@pytest.mark.filterwarnings("error")
def test_layers_without_any_feature_have_no_place_on_the_curves(tables):
    path, layers = (tables.table(name).assign(features=0.0) for name in ("path", "layers"))
    with drawing(1, 2, (6.4, 3.2), sharey=True) as (figure, axes):
        sparse_figures.curves(axes, path, layers)
        figure.draw_without_rendering()
        assert words(axes[0]) == []


def test_corrected_errors_stand_beside_their_chance(tables):
    rows = tables.removal_rows("zero")
    with drawing(1, 1, (9.6, 2.9)) as (_, axes):
        sparse_figures.removals(axes[0], rows)
        assert [label.get_text() for label in axes[0].get_yticklabels()] == [row["name"] for row in rows]
        marks = {marker: [] for marker in "ox"}
        for line in axes[0].lines:
            marks.get(line.get_marker(), []).append(line.get_xdata()[0])
        np.testing.assert_allclose(marks["o"], [40, 60, 70] * 4)
        np.testing.assert_allclose(marks["x"], [10, 20, 30, 1, 2, 3] * 2)
        assert words(axes[0]) == ["1", "2", "3"] * 4


@pytest.mark.filterwarnings("error")
def test_a_layer_without_errors_keeps_its_row(tables):
    rows = tables.removal_rows("zero")
    nothing = dict.fromkeys(("share", "low", "high", "chance"), np.nan)
    rows[0] |= {"errors": 0, "by_size": {size: nothing for size in (1, 2, 3)}}
    with drawing(1, 1, (9.6, 2.9)) as (figure, axes):
        sparse_figures.removals(axes[0], rows)
        figure.draw_without_rendering()
        assert len(axes[0].get_yticks()) == 4
        assert words(axes[0]) == ["1", "2", "3"] * 3


def test_one_model_alone_is_one_panel(tables):
    path, layers = (pd.DataFrame(tables.table(name)).query("model == 'robust'") for name in ("path", "layers"))
    with drawing(1, 1, (3.2, 3.2)) as (_, axes):
        sparse_figures.curves(axes, path, layers)
        assert axes[0].get_ylabel() == "accuracy, %"
        assert [text.get_text() for text in axes[0].get_legend().get_texts()] == ["test", "deployment"]
