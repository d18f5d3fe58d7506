import shutil

from debugset.base.paths import RETENTION
from debugset.report.inputs import Inputs
from tests.report.world import CLASSES, DEBUG_NAMES


def test_a_debug_class_without_failures_counts_all_the_same(world, params):
    every = Inputs(world, params, CLASSES)
    assert set(every.failures["class"]) < set(range(len(CLASSES)))
    assert every.debug_classes == list(range(len(CLASSES)))
    assert Inputs(world, params, [CLASSES[1], CLASSES[0]]).debug_classes == [0, 1]


def test_a_table_is_read_once(world, params, tmp_path):
    inputs = Inputs(tmp_path, params, DEBUG_NAMES)
    (tmp_path / "data").mkdir()
    shutil.copy(world / "data/retention.parquet", tmp_path / "data")
    table = inputs.frame(RETENTION)
    (tmp_path / "data/retention.parquet").unlink()
    assert inputs.frame(RETENTION) is table


def test_what_was_not_measured_is_none(world, params):
    inputs = Inputs(world, params, DEBUG_NAMES)
    assert inputs.score("random", "test")["images"] > 0
    assert inputs.score("random", "unheard-of") is None
    assert inputs.change("random", "random", "test") is None
