from debugset.report.inputs import Inputs
from tests.report.world import CLASSES


def test_a_debug_class_without_failures_counts_all_the_same(world, params):
    every = Inputs(world, params, CLASSES)
    assert set(every.failures["class"]) < set(range(len(CLASSES)))
    assert every.debug_classes == list(range(len(CLASSES)))
    assert Inputs(world, params, [CLASSES[1], CLASSES[0]]).debug_classes == [0, 1]
