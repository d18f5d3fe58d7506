"""The variants: what each adds on a pool that one can see through, and never a de-val image."""

import numpy as np
import pandas as pd
import pytest

from debugset.dcd.variants import (
    VARIANTS,
    candidates,
    complete_images,
    describe_added,
    picked_images,
    random_images,
)
from tests.base.inputs import BAD_MASKS, MASKS, error

#                       0  1  2  3  4  5  6  7  8  9
POOL = pd.DataFrame(
    {"id": [f"p{row}" for row in range(10)],
     "label": [0, 0, 0, 0, 1, 1, 1, 2, 2, 2],
     "true_label": [0, 0, 1, -1, 1, 1, 0, 2, 0, 2]}
)  # fmt: skip
# The filter's rows come in another order than the pool's; p3 and p9 are leaks.
KEEP = pd.DataFrame({"image_id": POOL["id"][::-1], "keep": [row not in (3, 9) for row in range(10)][::-1]})
DEVAL_PICKS = pd.DataFrame([(0, "p1"), (1, "p5")], columns=["class", "image_id"])
PICKS = pd.DataFrame([(1, "p6"), (0, "p2"), (0, "p0")], columns=["class", "image_id"])
TRAIN = np.array([0, 0, 0, 1, 2, 2])
DEVAL = {1, 5}
ADDING = [variant for variant in VARIANTS if variant != "retrain"]


def added(variant, pool=POOL, keep=KEEP, picks=PICKS, random_state=0, deval=DEVAL_PICKS):
    available = candidates(pool, keep, deval)
    if variant == "complete":
        return complete_images(pool, available, TRAIN, 3)
    if variant == "random":
        return random_images(pool, available, picks, 3, random_state)
    return picked_images(pool, picks, 3)


def test_complete_adds_all_that_the_filter_keeps_without_de_val():
    found = added("complete")
    assert found.rows.tolist() == [0, 2, 4, 6, 7, 8]
    assert found.labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_complete_weighs_classes_back_to_the_original_data():
    weights = added("complete").class_weights
    np.testing.assert_allclose(weights, [3 / (3 + 2), 1 / (1 + 2), 2 / (2 + 2)], rtol=1e-6)
    totals = weights * (np.bincount(TRAIN) + np.bincount(added("complete").labels))
    np.testing.assert_allclose(totals, np.bincount(TRAIN), rtol=1e-6)


def test_a_class_that_gets_nothing_keeps_its_weight():
    keep = KEEP.assign(keep=KEEP["keep"] & ~KEEP["image_id"].isin(["p7", "p8"]))
    assert added("complete", keep=keep).class_weights[2] == 1


@pytest.mark.parametrize("variant", ["dcd-foundation", "dcd-original", "dcd-robust"])
def test_dcd_adds_debug_train_under_the_seeds_class(variant):
    found = added(variant)
    assert found.rows.tolist() == [6, 2, 0]
    assert found.labels.tolist() == [1, 0, 0]
    assert found.class_weights.tolist() == [1, 1, 1]


def test_dcd_takes_the_class_of_the_failure_where_weak_labels_are_off():
    picks = PICKS.assign(**{"class": [2, 2, 2]})
    assert added("dcd-robust", picks=picks).labels.tolist() == [2, 2, 2]


def test_random_adds_as_many_a_class_as_debug_train():
    found = added("random")
    assert np.bincount(found.labels, minlength=3).tolist() == [2, 1, 0]
    assert set(found.rows.tolist()) <= {0, 2, 4, 6}
    assert (POOL["label"].to_numpy()[found.rows] == found.labels).all()
    assert len(set(found.rows.tolist())) == 3
    assert found.class_weights.tolist() == [1, 1, 1]


def test_random_takes_all_of_a_class_that_has_too_few():
    more = pd.DataFrame({"class": 2, "image_id": ["p7", "p8", "p4"]})
    found = added("random", picks=pd.concat([PICKS, more]))
    assert found.rows[found.labels == 2].tolist() == [7, 8]


def test_random_is_drawn_anew_from_a_large_pool_but_the_same_each_time():
    pool = pd.DataFrame({"id": [f"q{row}" for row in range(2000)], "label": np.arange(2000) % 2})
    keep = pd.DataFrame({"image_id": pool["id"], "keep": True})
    picks = pd.DataFrame({"class": [0] * 100 + [1] * 100, "image_id": pool["id"][:200]})
    found, again = (added("random", pool, keep, picks).rows for _ in range(2))
    assert found.tolist() == again.tolist()
    assert len(found) == 200
    assert found.max() > 1800 > 200 > found.min()  # from everywhere
    other = added("random", pool, keep, picks, random_state=1).rows
    assert len(other) == 200
    assert len(set(found) & set(other)) < 60  # another training run draws anew


@pytest.mark.parametrize("variant", ADDING)
def test_de_val_is_in_no_training_set(variant):
    assert not set(added(variant).rows.tolist()) & DEVAL


@pytest.mark.parametrize("variant", ADDING)
def test_without_failures_only_complete_adds_something(variant):
    found = added(variant, picks=PICKS.iloc[:0], deval=DEVAL_PICKS.iloc[:0])
    assert len(found.rows) == len(found.labels) == (8 if variant == "complete" else 0)
    assert found.rows.dtype == found.labels.dtype == np.int64


def test_what_is_added_is_described_with_its_precision():
    found = describe_added(added("complete"), POOL, ("ant", "bee", "cow"))
    assert found == {"images": 6, "by_class": {"ant": 2, "bee": 2, "cow": 2}, "weak_label_precision": 0.5}


def test_precision_is_unknown_on_real_photos_and_of_nothing():
    names = ("ant", "bee", "cow")
    assert describe_added(added("complete"), POOL.drop(columns="true_label"), names)["weak_label_precision"] is None
    found = describe_added(added("dcd-robust", picks=PICKS.iloc[:0]), POOL, names)
    assert found == {"images": 0, "by_class": {"ant": 0, "bee": 0, "cow": 0}, "weak_label_precision": None}


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_of_any_type_adds_the_same_images(kind):
    available = candidates(POOL, KEEP, DEVAL_PICKS)
    told = MASKS[kind](available)
    assert complete_images(POOL, told, TRAIN.tolist(), 3).rows.tolist() == added("complete").rows.tolist()
    assert random_images(POOL, told, PICKS, 3, 0).rows.tolist() == added("random").rows.tolist()


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_what_is_no_mask_is_refused(kind):
    make, line = BAD_MASKS[kind]
    with pytest.raises(ValueError, match=error("available", line, 10)):
        complete_images(POOL, make(10), TRAIN, 3)
    with pytest.raises(ValueError, match=error("available", line, 10)):
        random_images(POOL, make(10), PICKS, 3, 0)
