import pytest

from debugset.report.contact_sheet import sheet_rows
from debugset.report.inputs import Inputs
from debugset.report.seeds import SEED_SET, draw_seeds, nearest_picks
from tests.report.world import DEBUG_NAMES


@pytest.mark.parametrize("limit", [2, 7])
def test_a_class_has_one_row_with_its_first_seed(world, params, limit):
    inputs = Inputs(world, params, DEBUG_NAMES)
    rows = sheet_rows(inputs, limit)
    assert [row.label for row in rows] == list(DEBUG_NAMES)[:limit]
    assert any(row.picks for row in rows)
    for row in rows:
        seed = next(seed for seed in draw_seeds(inputs) if inputs.class_name(seed.label) == row.label)
        assert row.predicted == inputs.class_name(seed.predicted)
        assert row.failure == inputs.images(SEED_SET).image(seed.row)
        picks = nearest_picks(inputs, inputs.chosen_embedder, seed)["row"]
        assert [pick[0] for pick in row.picks] == [inputs.pool.image(pick) for pick in picks]
