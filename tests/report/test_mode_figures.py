import pandas as pd
import pytest

from debugset.report import mode_figures
from debugset.report.drawing import drawing


@pytest.mark.parametrize("others", ["none", "robust"])
def test_a_grouping_that_explains_less_keeps_the_rows_of_the_other(world, others):
    groups = pd.read_parquet(world / "data/barlow/groups.parquet").query("reason == ''")
    fewer = groups[(groups["grouping"] == "label") | (groups["analysed"] == others)]
    with drawing(1, 2, (9.6, 3.6), sharey=True) as (_, axes):
        mode_figures.gains(axes, fewer)
        for panel in axes:
            assert len(panel.get_yticks()) == 6
            assert panel.get_ylim() == (5.6, -0.6)
        assert axes[0].get_yticklabels()[0].get_text() == "original by robust, depth 1"
