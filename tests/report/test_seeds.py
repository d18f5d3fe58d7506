from debugset.report.inputs import Inputs
from debugset.report.seeds import draw_seeds, nearest_picks
from tests.report.world import DEBUG_NAMES


def test_seeds_come_from_every_debug_class_in_turn(world, params):
    seeds = draw_seeds(Inputs(world, params, DEBUG_NAMES))
    assert [seed.label for seed in seeds] == [0, 0, 2, 2, 3, 3]
    assert len({seed.image_id for seed in seeds}) == 6
    assert all(seed.predicted != seed.label for seed in seeds)


def test_picks_are_debug_train_and_nearest_first(world, params):
    inputs = Inputs(world, params, DEBUG_NAMES)
    for seed in draw_seeds(inputs):
        picks = nearest_picks(inputs, "original", seed)
        assert not picks["image_id"].isin(inputs.deval["image_id"]).any()
        assert picks["rank"].is_monotonic_increasing
        assert (inputs.pool.ids[picks["row"]] == picks["image_id"]).all()
