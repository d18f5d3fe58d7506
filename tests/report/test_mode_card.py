from dataclasses import replace

import pytest

from debugset.report import card, mode_card
from debugset.report.drawing import drawing
from debugset.report.inputs import Inputs
from debugset.report.modes import read_modes
from tests.report.world import DEBUG_NAMES


@pytest.mark.parametrize("conditions", [1, 2, 3])
def test_the_pictures_of_a_card_keep_their_size_however_long_the_rule(world, params, conditions):
    (mode, *_) = read_modes(Inputs(world, params, DEBUG_NAMES))
    rule = [f"feature[{place}] >= 0.7326543807983398" for place in range(conditions)]
    title = "labelled dress, " + " and ".join(f"much of feature {place}" for place in range(conditions))
    mode = replace(mode, row=mode.row | {"words": " and ".join(rule)}, title=title)
    with drawing(1, 1, (card.WIDTH, mode_card.height(mode))) as (figure, axes):
        mode_card.draw(axes[0], mode)
        figure.draw_without_rendering()
        (left, top), (right, bottom) = axes[0].transData.transform([(0, 0), (1, 1)])
        assert right - left > 90  # of the 960 pixels that the card is wide
        assert top - bottom > 90
        assert set(rule) <= {text.get_text() for text in axes[0].texts}
        for text in axes[0].texts:
            box = text.get_window_extent()
            assert box.x0 >= 0 <= box.y0
            assert box.x1 <= 960
            assert box.y1 <= 100 * mode_card.height(mode)
