"""The fashion world: seeded bytes, garments worn once, skewed contexts where they are wanted and only there."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from debugset.base.params import ParamsError, check
from debugset.datasets.fashion import (
    CLASSES,
    ROLES,
    FashionParams,
    Wardrobe,
    draw_contexts,
    draw_recipes_again,
    draw_set,
    fill_wardrobe,
    usual_contexts,
)
from debugset.datasets.fashion_mnist import CONTEXTS
from debugset.datasets.photos import draw_world
from debugset.datasets.recipes import check_recipes, render_all
from debugset.images.sets import open_set, write_set
from tests.datasets.tiny import decoded, fake_garments, fake_photographs, noisy_photographs, prepare_params


class Diary(Wardrobe):
    """A wardrobe that writes down which garment was taken."""

    def take(self, class_):
        self.taken += [(class_, garment) for garment in self.left[class_][-1:]]
        return super().take(class_)


def draw(params, per_class=150, photographs=None):
    """All sets and the world, as stage prepare draws them: {set: (frame, files)}, photos, garments taken."""
    images, labels = fake_garments(per_class)
    clothes = fill_wardrobe(images, labels, params.random_state)
    clothes = Diary(clothes.images, clothes.left)
    clothes.taken = []
    photographs = photographs or fake_photographs()
    sets, tests = {}, []
    for name in ROLES:
        images = draw_set(name, params, clothes, photographs)
        tests += images if name != "train" else []
        sets[name] = pd.DataFrame([about for about, _ in images]), [content for _, content in images]
    photos = list(draw_world(params, clothes, photographs, tests))
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


def test_the_pixels_of_a_world_are_those_that_were_always_drawn():
    sets, photos, _ = draw(prepare_params(planted=1), photographs=noisy_photographs())
    digest = hashlib.sha256()
    for _, files in sets.values():
        for file in files:
            digest.update(decoded(file).tobytes())
    for record, content in photos:
        if record["planted"] == "":
            digest.update(decoded(content).tobytes())
    assert digest.hexdigest() == "91e3be72c8805e6d68eab98450e6ebad48061c1d4a8ee8e37cffe90970a5050e"


@pytest.mark.parametrize("name", ROLES)
def test_the_recipes_of_a_set_drawn_again_render_its_images(name):
    params, photographs = prepare_params(), noisy_photographs()
    recipes = draw_recipes_again(name, params, *fake_garments(150), photographs)
    frame, files = draw(params, photographs=photographs)[0][name]
    assert np.array_equal(render_all(recipes, photographs), [decoded(file) for file in files])
    assert [recipe.label for recipe in recipes] == frame["label"].tolist()
    assert [recipe.context for recipe in recipes] == frame["context"].tolist()


@pytest.mark.parametrize("changes", [{"random_state": 1}, {"diagnosis": 19}, {"train": 50}])
def test_a_set_of_other_parameters_is_told_by_its_images(tmp_path, changes):
    params, photographs = prepare_params(), noisy_photographs()
    clothes = fill_wardrobe(*fake_garments(150), params.random_state)
    for name in ROLES:
        images = draw_set(name, params, clothes, photographs)
    write_set(tmp_path, images, CLASSES)  # the last: diagnosis
    recipes = draw_recipes_again("diagnosis", params, *fake_garments(150), photographs)
    check_recipes(recipes, open_set(tmp_path), photographs)
    with pytest.raises(ValueError, match=r"\(20 images, not 19\)"):
        check_recipes(recipes[:-1], open_set(tmp_path), photographs)
    others = draw_recipes_again("diagnosis", prepare_params(**changes), *fake_garments(150), photographs)
    with pytest.raises(ValueError, match=rf"{tmp_path}: drawn by other parameters .* run `dvc repro prepare`"):
        check_recipes(others, open_set(tmp_path), photographs)


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
