from debugset.report.inputs import Inputs
from debugset.report.numbers import weak_label_precision
from debugset.report.page import render
from debugset.report.sections import picks
from tests.report.world import DEBUG_NAMES


def test_without_truth_nothing_is_called_right_or_wrong(photographs, params):
    inputs = Inputs(photographs, params, DEBUG_NAMES)
    shown = picks.context(inputs)
    tiles = [tile for row in shown["rows"] for lane in row["lanes"] for tile in lane["tiles"]]
    assert tiles
    assert {tile.mark for tile in tiles} == {""}
    assert weak_label_precision(inputs) is None
    assert "right class" not in render(inputs)
