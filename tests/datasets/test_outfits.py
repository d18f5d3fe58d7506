"""The outfit world: attributes say what is drawn, slots do not touch, sets share no garment, relations are known."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from debugset.cli.profiles import read
from debugset.cli.sections import validate
from debugset.datasets.fashion import CLASSES
from debugset.datasets.outfits import (
    ATTRIBUTES,
    GROUPS,
    SLOTS,
    TEST_GARMENTS,
    TYPES,
    OutfitsParams,
    draw_canvas,
    draw_outfits,
    draw_types,
    ground_truth,
    relation,
    worn_attributes,
)
from debugset.images.sets import open_set, read_attributes, write_set
from tests.datasets.tiny import decoded

LEVELS = 11  # of a garment's four quarters, which together say its number
FRAME = 255


def params(**changes):
    settings = {"random_state": 0, "train": 80, "test": 60, "empty_shared": 0.35, "empty_own": 0.6, "noise": 0.0}
    return OutfitsParams(**({"source": "outfits"} | settings | changes))


def numbered_garment(number):
    """A white frame around four grey quarters that tell a number below 14,641."""
    garment = np.full((28, 28), FRAME, np.uint8)
    for place in range(4):
        row, column = divmod(place, 2)
        level = 75 + 15 * (number // LEVELS**place % LEVELS)
        garment[4 + 10 * row : 14 + 10 * row, 4 + 10 * column : 14 + 10 * column] = level
    return garment


@pytest.fixture(scope="module")
def garments():
    """As many test garments as Fashion-MNIST has, and 300 more; each one tells its number."""
    count = TEST_GARMENTS + 300
    labels = np.random.default_rng(0).integers(0, len(CLASSES), count).astype(np.uint8)
    return np.stack([numbered_garment(number) for number in range(count)]), labels


def seen(image):
    """What a slot shows, by slot: a garment's number and place, or None."""
    found = []
    for place in range(len(SLOTS)):
        row, column = divmod(place, 3)
        slot = image[32 * row : 32 * row + 32, 21 * column : 21 * column + 21].astype(int)
        if not (slot == FRAME).any():
            found.append(None)
            continue
        top, left = np.argwhere(slot == FRAME).min(0)
        bottom, right = np.argwhere(slot == FRAME).max(0) + 1
        assert (bottom - top, right - left) == (18, 18)
        quarters = [slot[top + y, left + x] for y in (5, 12) for x in (5, 12)]
        number = sum(round((level - 75) / 15) * LEVELS**digit for digit, level in enumerate(quarters))
        found.append((number, int(top), int(left)))
    return found


@pytest.fixture(scope="module")
def drawn(garments):
    """Records and decoded images of both sets."""
    return {
        name: [(record, decoded(png)[..., 0]) for record, png in draw_outfits(name, params(), *garments)]
        for name in ("train", "test")
    }


@pytest.mark.parametrize("name", ["train", "test"])
def test_attributes_say_what_is_drawn_and_each_type_is_in_its_slot(drawn, garments, name):
    labels, kinds = garments[1], set()
    for record, image in drawn[name]:
        types = [CLASSES[labels[one[0]]] if one else "" for one in seen(image)]
        assert all(not type_ or type_ in slot for type_, slot in zip(types, SLOTS, strict=True))
        there = {name: any(type_ in GROUPS.get(name, (name,)) for type_ in types if type_) for name in ATTRIBUTES}
        shown = {key.removeprefix("attribute:"): value for key, value in record.items() if ":" in key}
        assert shown == {name: 1 if value else -1 for name, value in there.items()}
        kinds |= set(types)
    assert kinds == {*TYPES, ""}


def test_no_garment_is_in_both_sets(drawn):
    numbers = {name: {one[0] for _, image in images for one in seen(image) if one} for name, images in drawn.items()}
    assert max(numbers["train"]) < 300 <= min(numbers["test"])
    assert len(numbers["test"]) > 50


def test_garments_move_by_three_pixels_within_their_slot(drawn):
    places = {one[1:] for images in drawn.values() for _, image in images for one in seen(image) if one}
    assert places == {(top, left) for top in range(5, 9) for left in range(4)}  # slots are 21 px wide, 32 px high


def test_slots_do_not_overlap():
    covered = []
    for place in range(len(SLOTS)):
        touched = np.zeros((64, 64), bool)
        for random_state in range(60):
            worn = [np.full((28, 28), FRAME, np.uint8) if slot == place else None for slot in range(len(SLOTS))]
            touched |= draw_canvas(worn, 0.0, np.random.default_rng(random_state)) == FRAME
        assert touched.sum() == 21 * 21  # every place that a shift reaches
        covered.append(touched)
    assert not any((one & other).any() for one, other in combinations(covered, 2))


def test_a_garment_hides_the_background_only_where_it_is():
    garment = np.zeros((28, 28), np.uint8)
    garment[14:] = 40  # soft: 40 of 64 opaque
    rng = np.random.default_rng(0)
    image = draw_canvas([None] * 5 + [garment], 0.0, rng).astype(int)
    level = image[0, 63]
    assert (image[:32] == level).all()
    assert (image[:, :42] == level).all()
    changed = np.argwhere(image != level)
    assert np.ptp(changed, axis=0).tolist() == [8, 17]
    assert abs(image[tuple(changed[0])] - (40 / 64 * 40 + 24 / 64 * level)) <= 1


def test_backgrounds_differ_in_brightness_and_noise():
    empty = [None] * len(SLOTS)
    plain = [draw_canvas(empty, 0.0, np.random.default_rng(random_state)) for random_state in range(40)]
    assert all(np.ptp(image) == 0 for image in plain)
    levels = np.array([image[0, 0] for image in plain]) / 255
    assert 0.29 < levels.min() < 0.35 < 0.55 < levels.max() < 0.61
    noisy = draw_canvas(empty, 0.1, np.random.default_rng(0))
    assert noisy.std() / 255 == pytest.approx(0.1, abs=0.005)


def test_equal_params_give_equal_bytes_and_another_seed_others(garments):
    first, again, other = (
        list(draw_outfits("test", params(random_state=random_state, test=12, noise=0.2), *garments))
        for random_state in (0, 0, 1)
    )
    assert first == again
    assert not {png for _, png in first} & {png for _, png in other}
    longer = list(draw_outfits("train", params(train=12, noise=0.2), *garments))
    assert [record["id"] for record, _ in longer][:2] == ["train-00000", "train-00001"]


def test_a_set_opens_with_its_attributes(drawn, garments, tmp_path):
    write_set(tmp_path, draw_outfits("test", params(), *garments), ("image",))
    images = open_set(tmp_path)
    assert len(images) == 60
    assert images.manifest[["width", "height"]].drop_duplicates().to_numpy().tolist() == [[64, 64]]
    found = read_attributes(images)
    assert found.columns.tolist() == list(ATTRIBUTES)
    assert [record["attribute:bag"] for record, _ in drawn["test"]] == found["bag"].tolist()


@pytest.mark.parametrize(("empty_shared", "empty_own"), [(0.35, 0.6), (0.1, 0.9)])
def test_each_attribute_appears_at_its_rate_and_slots_know_nothing_of_each_other(empty_shared, empty_own):
    count = 20_000
    settings = params(empty_shared=empty_shared, empty_own=empty_own)
    table = worn_attributes(draw_types(count, settings, np.random.default_rng(0)))
    assert set(np.unique(table)) == {-1, 1}
    shared, own = (1 - empty_shared) / 2, 1 - empty_own
    expected = dict.fromkeys([*SLOTS[0], *SLOTS[1], *SLOTS[2]], shared) | dict.fromkeys(("bag", "sandal", "coat"), own)
    expected |= {"top": 1 - empty_shared, "footwear": 1 - empty_shared * empty_own}
    assert (table > 0).mean().to_dict() == pytest.approx(expected, abs=0.015)  # more than four standard deviations
    unrelated = table[[slot[0] for slot in SLOTS]].corr().to_numpy()
    assert np.abs(unrelated - np.eye(len(SLOTS))).max() < 0.03
    for slot in SLOTS:
        assert ((table[list(slot)] > 0).sum(axis=1) <= 1).all()


def test_types_of_a_slot_exclude_each_other_groups_go_with_their_members_all_else_is_unrelated():
    assert relation("tshirt", "pullover") == relation("boot", "sneaker") == "negative"
    assert relation("top", "tshirt") == relation("sandal", "footwear") == relation("footwear", "boot") == "positive"
    assert relation("bag", "sandal") == relation("top", "footwear") == relation("top", "boot") == "unrelated"
    table = ground_truth()
    assert len(table) == 11 * 10 // 2
    assert table["relation"].value_counts().to_dict() == {"unrelated": 47, "positive": 5, "negative": 3}
    for a, b, label in table.itertuples(index=False):
        assert relation(b, a) == label


def test_the_committed_ground_truth_is_this_world_s():
    committed = pd.read_csv(Path(__file__).parents[2] / "ground_truth" / "outfits.csv", dtype=str)
    pd.testing.assert_frame_equal(committed, ground_truth(), check_dtype=False)


@pytest.mark.parametrize("profile", ["fashion", "smoke"])
def test_the_pairs_of_the_profiles_are_unrelated_attributes(profile):
    sections = validate(read(profile))
    assert sections["attributed"].source == "outfits"
    assert {relation(*pair) for pair in sections["attributes"].pairs} == {"unrelated"}


@pytest.mark.parametrize(
    "changes", [{"empty_own": 0.0}, {"empty_shared": 1.0}, {"train": 0}, {"noise": -0.1}, {"random_state": -1}]
)
def test_settings_out_of_range_are_refused(changes):
    with pytest.raises(ValidationError):
        params(**changes)
