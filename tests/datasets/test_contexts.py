"""Which contexts training shows more often with a class."""

import numpy as np

from debugset.datasets.contexts import frequent_contexts


def test_frequent_contexts_are_those_that_training_shows_more_often():
    labels = np.repeat([0, 1], 10)
    contexts = np.array([*"aaaabbbbcd", *"ccccccccba"], object)
    assert frequent_contexts(labels, contexts) == {(0, "a"), (0, "b"), (1, "c")}
    assert frequent_contexts(np.zeros(4, np.int64), np.array([*"abcd"], object)) == set()
