"""The fashion world: seeded bytes, garments worn once, skewed contexts where they are wanted and only there."""

import numpy as np
import pandas as pd
import pytest

from debugset.base.params import ParamsError, check
from debugset.datasets.fashion import (
    CLASSES,
    ROLES,
    FashionParams,
    Wardrobe,
    composite,
    draw_contexts,
    draw_set,
    fill_wardrobe,
    usual_contexts,
)
from debugset.datasets.fashion_mnist import CONTEXTS
from debugset.datasets.photos import draw_world
from tests.datasets.tiny import decoded, fake_garments, fake_photographs, plain, prepare_params


class Diary(Wardrobe):
    """A wardrobe that writes down which garment was taken."""

    def take(self, class_):
        self.taken += [(class_, garment) for garment in self.left[class_][-1:]]
        return super().take(class_)


def draw(params, per_class=150):
    """All sets and the world, as stage prepare draws them: {set: (frame, files)}, photos, garments taken."""
    images, labels = fake_garments(per_class)
    clothes = fill_wardrobe(images, labels, params.random_state)
    clothes = Diary(clothes.images, clothes.left)
    clothes.taken = []
    sets, tests = {}, []
    for name in ROLES:
        images = draw_set(name, params, clothes, fake_photographs())
        tests += images if name != "train" else []
        sets[name] = pd.DataFrame([about for about, _ in images]), [content for _, content in images]
    photos = list(draw_world(params, clothes, fake_photographs(), tests))
    return sets, photos, clothes.taken


def test_equal_params_give_equal_bytes_and_another_seed_gives_others():
    (sets, photos, _), (again, photos_again, _) = (draw(prepare_params(planted=1)) for _ in range(2))
    other, other_photos, _ = draw(prepare_params(planted=1, random_state=1))
    for name in ROLES:
        pd.testing.assert_frame_equal(sets[name][0], again[name][0])
        assert sets[name][1] == again[name][1]
        assert not set(sets[name][1]) & set(other[name][1])
    assert photos == photos_again
    shown, shown_by_other = (
        {content for record, content in drawn if record["label"] >= 0} for drawn in (photos, other_photos)
    )
    assert not shown & shown_by_other


def test_every_garment_is_worn_once_in_all_sets_and_photos_together():
    params = prepare_params(planted=2)
    sets, photos, taken = draw(params)
    garments = [garment for _, garment in taken]
    assert len(set(garments)) == len(garments)
    ordinary = [record for record, _ in photos if record["planted"] == "" and record["label"] >= 0]
    assert len(garments) == sum(len(frame) for frame, _ in sets.values()) + len(ordinary)
    labels = fake_garments(150)[1]
    assert all(labels[garment] == class_ for class_, garment in taken)


def test_a_set_has_the_columns_and_balanced_classes():
    frame, files = draw(prepare_params())[0]["seed_source"]
    assert list(frame.columns) == ["id", "shard", "label", "true_label", "context", "planted"]
    assert set(frame["shard"]) == {"00000.tar"}
    assert list(frame["id"][:2]) == ["seed_source-00000", "seed_source-00001"]
    assert (frame["label"] == frame["true_label"]).all()
    assert frame["label"].value_counts().tolist() == [2] * len(CLASSES)
    assert set(frame["planted"]) == {""}
    assert {decoded(file).shape for file in files} == {(32, 32, 3)}


def test_an_image_shows_the_context_that_its_row_names():
    frame, files = draw(prepare_params())[0]["diagnosis"]
    colours = {name: photograph[0, 0, 0] for name, photograph in fake_photographs().items()}
    assert [decoded(file)[0, 0, 0] for file in files] == [colours[name] for name in frame["context"]]


def test_only_train_and_test_show_mostly_usual_contexts():
    sizes = dict.fromkeys(ROLES, 500)
    sets, _, _ = draw(prepare_params(**sizes, photos_per_class=1, growth=0.0), per_class=280)
    usual = {class_: {CONTEXTS[place] for place in usual_contexts(class_)} for class_ in range(len(CLASSES))}
    for name, (frame, _) in sets.items():
        share = np.mean([row.context in usual[row.label] for row in frame.itertuples()])
        expected = 0.9 if name in ("train", "test") else 2 / len(CONTEXTS)
        assert abs(share - expected) < 0.08, name  # more than three standard deviations


@pytest.mark.parametrize("skew", [0.0, 0.9, 1.0])
def test_the_skew_is_the_share_of_usual_contexts(skew):
    labels = np.arange(20_000) % len(CLASSES)
    contexts = draw_contexts(labels, skew, np.random.default_rng(0))
    is_usual = np.array(
        [context in usual_contexts(class_) for class_, context in zip(labels.tolist(), contexts, strict=True)]
    )
    assert abs(is_usual.mean() - skew) <= (0.01 if 0 < skew < 1 else 0)
    for class_ in range(len(CLASSES)):  # both usual ones alike, and the others alike
        counts = np.bincount(contexts[labels == class_], minlength=len(CONTEXTS)) / 2000
        for place, count in enumerate(counts):
            assert abs(count - (skew / 2 if place in usual_contexts(class_) else (1 - skew) / 4)) < 0.04


def test_a_class_has_two_different_usual_contexts_and_every_context_is_usual_somewhere():
    pairs = [usual_contexts(class_) for class_ in range(len(CLASSES))]
    assert all(first != second for first, second in pairs)
    assert {place for pair in pairs for place in pair} == set(range(len(CONTEXTS)))


def test_a_garment_covers_the_context_only_where_it_is_and_moves_by_two_pixels():
    photograph = np.random.default_rng(0).integers(0, 102, (32, 32, 3), dtype=np.uint8)
    garment = np.zeros((28, 28), np.uint8)
    garment[5:9, 10:13] = 255
    places = set()
    for random_state in range(200):
        pixels = composite(garment, photograph, np.random.default_rng(random_state))
        covered = (pixels != photograph).any(axis=2)
        top, left = np.argwhere(covered).min(axis=0)
        assert covered.sum() == 12
        assert covered[top : top + 4, left : left + 3].all()
        patch = pixels[top : top + 4, left : left + 3].reshape(-1, 3)
        assert (patch == patch[0]).all()
        assert (patch >= 102).all()  # the darkest tint is 0.4
        places.add((int(top) - 5, int(left) - 10))
    assert places == {(down, right) for down in range(5) for right in range(5)}  # -2 to 2 around the middle


def test_a_faint_garment_lets_the_context_through():
    pixels = composite(np.full((28, 28), 32, np.uint8), plain([200] * 3, 32, 32), np.random.default_rng(0))
    covered = pixels[(pixels != 200).all(axis=2)]
    assert len(covered) == 28 * 28
    assert (covered == covered[0]).all()
    assert (covered >= 100 + 6).all()  # half of the context and half of 32 in a tint of 0.4 to 1
    assert (covered <= 100 + 16).all()


def test_no_garment_leaves_a_crop_of_the_photograph():
    photograph = np.random.default_rng(0).integers(0, 256, (34, 37, 3), dtype=np.uint8)
    crops = {photograph[top : top + 32, left : left + 32].tobytes() for top in range(3) for left in range(6)}
    found = {composite(None, photograph, np.random.default_rng(random_state)).tobytes() for random_state in range(200)}
    assert found == crops


def test_a_wardrobe_that_runs_dry_names_the_class_and_the_mend():
    with pytest.raises(ValueError, match=r"class \w+ than there are; lower prepare.photos_per_class"):
        draw(prepare_params(), per_class=20)
    images, labels = fake_garments(1)
    clothes = fill_wardrobe(images, labels, 0)
    clothes.take(5)
    with pytest.raises(ValueError, match="class sandal"):
        clothes.take(5)


def test_photos_without_garment_are_part_of_the_wrong_ones():
    section = prepare_params().model_dump() | {"wrong_label": 0.1, "no_garment": 0.2}
    with pytest.raises(ParamsError, match="no_garment is a part of wrong_label"):
        check({"prepare": section}, "prepare", FashionParams)


@pytest.mark.parametrize("name", ["train", "test", "seed_source", "heldout_source"])
@pytest.mark.parametrize("count", [1, len(CLASSES) - 1])
def test_a_set_too_small_for_an_image_of_every_class_is_refused(name, count):
    section = prepare_params().model_dump() | {name: count}
    with pytest.raises(ParamsError) as error:
        check({"prepare": section}, "prepare", FashionParams)
    assert str(error.value) == (
        f"params.yaml: `prepare.{name}`: Input should be greater than or equal to 10 (got {count})"
    )
