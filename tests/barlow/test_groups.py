"""Groups and their halves, and why some can't be explained."""

import numpy as np
import pytest

from debugset.barlow.groups import discovery_half, groups_of, obstacle
from tests.base.inputs import BAD_LABELS, BAD_MASKS, LABELS, MASKS, error


def test_halves_hold_a_share_of_every_class():
    labels = np.repeat([0, 1, 4], [10, 7, 3])
    half = discovery_half(labels, 0.5, 0)
    assert [half[labels == label].sum() for label in (0, 1, 4)] == [5, 4, 2]  # 3.5 and 1.5 are rounded to even
    assert np.array_equal(half, discovery_half(labels, 0.5, 0))
    assert not np.array_equal(half, discovery_half(labels, 0.5, 1))


def test_groups_by_label_and_by_prediction_hold_the_images_of_each_class():
    rng = np.random.default_rng(0)
    labels, predicted = rng.choice([0, 1, 3], 60), rng.choice([0, 2, 3], 60)  # classes 1 and 2 miss in one of them
    half = discovery_half(labels, 0.5, 0)
    for grouping, keys in (("label", labels), ("prediction", predicted)):
        found = list(groups_of(grouping, keys, half, 4))
        assert [group.class_ for group in found] == [0, 1, 2, 3]
        for group in found:
            assert sorted(group.discovery) == np.flatnonzero((keys == group.class_) & half).tolist()
            assert sorted(group.heldout) == np.flatnonzero((keys == group.class_) & ~half).tolist()


@pytest.mark.parametrize(
    ("failures", "images", "reason"),
    [(2, 9, "9 images, fewer than 10"), (0, 12, "no failures"), (12, 12, "failures only"), (1, 10, None)],
)
def test_groups_that_can_not_be_explained_say_why(failures, images, reason):
    labels = np.zeros(images, np.int64)
    (group,) = groups_of("label", labels, np.ones(images, bool), 1)
    assert obstacle(group, np.arange(images) < failures, 10) == reason


KEYS, HALF = np.array([0, 1, 1, 0, 2]), np.array([True, False, True, False, True])


def halves(keys, half):
    return [(group.discovery.tolist(), group.heldout.tolist()) for group in groups_of("label", keys, half, 3)]


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_type_make_the_same_halves_and_groups(kind):
    labels = np.repeat([0, 1, 4], [10, 7, 3])
    assert discovery_half(LABELS[kind](labels), 0.5, 0).tolist() == discovery_half(labels, 0.5, 0).tolist()
    assert halves(LABELS[kind](KEYS), HALF) == [([0], [3]), ([2], [1]), ([4], [])]


@pytest.mark.parametrize("kind", MASKS)
def test_a_half_of_any_type_makes_the_same_groups(kind):
    assert halves(KEYS, MASKS[kind](HALF)) == [([0], [3]), ([2], [1]), ([4], [])]


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_a_half_that_is_no_mask_is_refused(kind):
    make, line = BAD_MASKS[kind]
    with pytest.raises(ValueError, match=error("discovery", line, 5)):
        halves(KEYS, make(5))


@pytest.mark.parametrize("kind", BAD_LABELS)
def test_labels_that_are_no_class_indices_are_refused(kind):
    make, line = BAD_LABELS[kind]
    with pytest.raises(ValueError, match=error("labels", line, 5)):
        discovery_half(make(5), 0.5, 0)
