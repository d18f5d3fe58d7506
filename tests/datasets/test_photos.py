"""The simulator's world: what each search finds is planted in exact numbers, and growth only adds."""

import io
import re
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from debugset.datasets.fashion import CLASSES, ROLES, draw_set, fill_wardrobe
from debugset.datasets.photos import LICENCES, OTHER_TAGS, PLAIN_TITLES, WORDS, draw_world
from tests.datasets.tiny import decoded, fake_garments, fake_photographs, prepare_params

LEAKS = ("exact", "reencoded", "shifted", "brightness")
SECOND = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())


def draw(**changes):
    """The world's photos and the test images by id."""
    params = prepare_params(**{"test": 80, **changes})
    clothes = fill_wardrobe(*fake_garments(150), 7)
    tests = [image for name in ROLES[1:] for image in draw_set(name, params, clothes, fake_photographs())]
    table = pd.DataFrame([about | {"content": content} for about, content in tests])
    return list(draw_world(params, clothes, fake_photographs(), tests)), table.set_index("id")


@pytest.fixture(scope="module")
def world():
    return draw(planted=3, cross_class=0.1)


def classes_of(record):
    """The classes whose words a photo carries."""
    words = set(re.findall(r"\w+", f"{record['title']} {record['tags']}".casefold()))
    return {place for place, name in enumerate(CLASSES) if words & set(WORDS[name])}


def planted(photos, *kinds):
    return [(record, content) for record, content in photos if record["planted"] in kinds]


def test_each_search_finds_exactly_its_numbers_in_both_snapshots():
    photos, _ = draw(cross_class=0.0, planted=0)
    for second, count in ((False, 40), (True, 10)):
        found = [record for record, _ in photos if (record["uploaded"] >= SECOND) == second]
        by_class = Counter(class_ for record in found for class_ in classes_of(record))
        assert by_class == dict.fromkeys(range(len(CLASSES)), count)
        for class_ in range(len(CLASSES)):
            shown = [record["true_label"] for record in found if classes_of(record) == {class_}]
            assert shown.count(class_) == count // 2
            assert shown.count(-1) == round(count / 8)


def test_wrong_garments_come_from_all_other_classes():
    photos, _ = draw(cross_class=0.0, growth=0.0, planted=0)
    shown = {record["true_label"] for record, _ in photos if classes_of(record) == {3}}
    assert shown == {-1, *range(len(CLASSES))}


def test_the_first_snapshot_holds_every_kind_of_planted_photo_in_number(world):
    photos, _ = world
    kinds = Counter(record["planted"] for record, _ in photos)
    assert kinds == {"": 500, **dict.fromkeys((*LEAKS, "duplicate", "broken", "tiny"), 30)}
    assert all(record["uploaded"] < SECOND for record, _ in planted(photos, *(kinds.keys() - {""})))


def test_a_photo_carries_words_of_its_class_and_a_cross_class_one_of_two():
    for cross_class, wished in ((0.0, 1), (1.0, 2)):
        photos, _ = draw(cross_class=cross_class, planted=0)
        assert {len(classes_of(record)) for record, _ in photos} == {wished}


def test_planted_photos_carry_words_of_one_class_and_the_copied_test_images_class(world):
    photos, tests = world
    for record, _ in planted(photos, *LEAKS):
        assert classes_of(record) == {tests.loc[record["copy_of"], "label"]} == {record["label"]}
    assert {len(classes_of(record)) for record, _ in planted(photos, "duplicate", "broken", "tiny")} == {1}
    assert 25 <= sum(len(classes_of(record)) == 2 for record, _ in photos) <= 75  # a tenth of 500


def test_no_class_owns_a_word_of_another_class_or_of_no_class():
    words = [word for pair in WORDS.values() for word in pair]
    assert len(set(words)) == len(words) == 2 * len(CLASSES)
    plain = {word for text in (*OTHER_TAGS, *PLAIN_TITLES) for word in re.findall(r"\w+", text.casefold())}
    assert not plain & set(words)


def test_photos_are_ordered_in_time_with_ascending_ids_and_the_second_snapshot_is_later(world):
    records = [record for record, _ in world[0]]
    uploaded = [record["uploaded"] for record in records]
    assert uploaded == sorted(uploaded)
    ids = [int(record["id"]) for record in records]
    assert all(first < second for first, second in pairwise(ids))
    assert len({len(record["id"]) for record in records}) == 1  # the order as text is the same
    assert [moment >= SECOND for moment in uploaded] == [False] * 610 + [True] * 100
    years = [datetime.fromtimestamp(moment, UTC).year for moment in uploaded]
    assert [record["shard"] for record in records] == [f"{year}.tar" for year in years]
    assert (min(years) >= 2014, max(years)) == (True, 2024)


def test_growth_adds_photos_and_changes_none():
    grown = [draw(planted=2, cross_class=0.1, growth=growth)[0] for growth in (0.0, 0.25, 1.0)]
    assert len(grown[0]) == 400 + 7 * 20
    assert len(grown[2]) == len(grown[0]) + 400
    for photos in grown[1:]:
        assert photos[: len(grown[0])] == grown[0]


def test_leaks_differ_from_their_test_image_as_their_kind_says(world):
    photos, tests = world
    copied = [record["copy_of"] for record, _ in planted(photos, *LEAKS)]
    assert len(set(copied)) == len(copied) == 120
    decoded_tests = {name: decoded(content).astype(int) for name, content in tests["content"].items()}
    for record, content in planted(photos, *LEAKS):
        original = tests.loc[record["copy_of"]]
        assert (record["true_label"], record["context"]) == (original["label"], original["context"])
        before, after = decoded(original["content"]).astype(int), decoded(content).astype(int)
        assert (content == original["content"]) == (record["planted"] == "exact")
        assert record["extension"] == ("jpg" if record["planted"] == "reencoded" else "png")
        if record["planted"] == "reencoded":
            assert Image.open(io.BytesIO(content)).format == "JPEG"
            distances = {name: abs(pixels - after).mean() for name, pixels in decoded_tests.items()}
            assert min(distances, key=distances.get) == record["copy_of"]
        if record["planted"] == "shifted":
            moved = [np.roll(before, shift, (0, 1)) for shift in ((0, 1), (1, 0), (0, -1), (-1, 0))]
            assert any((image[1:-1, 1:-1] == after[1:-1, 1:-1]).all() for image in moved)
            assert not (before == after).all()
        if record["planted"] == "brightness":
            changed = [np.clip(np.rint(before * factor), 0, 255) for factor in (0.9, 1.1)]
            assert sum((image == after).all() for image in changed) == 1


def test_copies_are_made_darker_and_brighter(world):
    photos, tests = world
    before_and_after = [
        (decoded(tests.loc[record["copy_of"], "content"]).sum(), decoded(content).sum())
        for record, content in planted(photos, "brightness")
    ]
    assert 0 < sum(after < before for before, after in before_and_after) < len(before_and_after)


def test_duplicates_equal_the_photo_that_they_copy(world):
    photos, _ = world
    by_id = {record["id"]: (record, content) for record, content in photos}
    for record, content in planted(photos, "duplicate"):
        original, original_content = by_id[record["copy_of"]]
        assert content == original_content
        assert original["planted"] == ""
        assert record["id"] != original["id"]
        assert (record["true_label"], record["context"]) == (original["true_label"], original["context"])
        assert classes_of(record) == classes_of(original)


def test_broken_photos_do_not_decode_and_all_others_have_the_size_that_they_say(world):
    for record, content in world[0]:
        if record["planted"] == "broken":
            with pytest.raises(OSError):
                decoded(content)
        else:
            assert decoded(content).shape == (record["height"], record["width"], 3)
            assert record["width"] == (8 if record["planted"] == "tiny" else 32)


def test_labels_are_the_truth_and_photos_are_described(world):
    records = [record for record, _ in world[0]]
    assert all(record["label"] == record["true_label"] for record in records)
    assert {record["licence"] for record in records} <= set(LICENCES)
    assert all(re.fullmatch(r"[0-9a-f]{10,}", record["secret"]) for record in records)
    assert len({record["secret"] for record in records}) == len(records)
    assert all("{" not in record["title"] and record["title"] for record in records)
    names = {}
    assert all(names.setdefault(record["owner"], record["owner_name"]) == record["owner_name"] for record in records)


def test_more_copies_than_there_are_images_is_an_error_that_names_the_param():
    with pytest.raises(ValueError, match=r"prepare.planted: .* 40 test images of class tshirt, but there are 14"):
        draw(planted=10)
    with pytest.raises(ValueError, match=r"prepare.planted: .* 2 photos of class tshirt, but there are 1"):
        draw(planted=2, photos_per_class=1)
