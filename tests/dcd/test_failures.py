import unicodedata

import numpy as np
import pandas as pd
import pytest

from debugset.base.params import ParamsError, check
from debugset.dcd.failures import (
    ErrorsParams,
    collected_for,
    debug_classes,
    failures,
    failures_frame,
    least_accurate,
    read_modes,
    write_modes,
)
from tests.base import inputs

LABELS = np.array([0, 0, 0, 1, 1, 1, 2, 2])
FIRST = np.array([1, 1, 1, 1, 0, 0, 2, 2])
SECOND = np.array([2, 1, 1, 1, 1, 0, 0, 2])
BOTH = np.stack([FIRST, SECOND])


def test_only_what_every_model_misses_counts():
    assert debug_classes(BOTH, LABELS).tolist() == [0]
    assert debug_classes(BOTH, LABELS, min_missed=1).tolist() == [0, 1]
    assert debug_classes(LABELS[None], LABELS, min_missed=1).tolist() == []
    assert failures(BOTH, LABELS, np.array([0, 1])).tolist() == [0, 1, 2, 5]
    assert failures(BOTH[:1], LABELS, np.array([1, 2])).tolist() == [4, 5]  # class 2 has no failure


def test_least_accurate_takes_the_lower_class_of_equal_ones():
    assert least_accurate(BOTH, LABELS, 2).tolist() == [0, 1]
    assert least_accurate(np.array([[1, 0, 2]]), np.array([0, 1, 2]), 1).tolist() == [0]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"^min_missed"):
        debug_classes(BOTH, LABELS, min_missed=0)
    with pytest.raises(ValueError, match=r"^predictions: expected models x 7 images"):
        debug_classes(BOTH, LABELS[:7])
    with pytest.raises(ValueError, match=r"^classes: class 9 has no image"):
        failures(BOTH, LABELS, np.array([0, 9]))
    with pytest.raises(ValueError, match=r"^count: must lie between 1 and the 3 classes"):
        least_accurate(BOTH, LABELS, 4)


def frame(model, name, predicted, reverse=False):
    rows = pd.DataFrame(
        {
            "model": model,
            "set": name,
            "image_id": [f"{name}{i}" for i in range(8)],
            "label": LABELS,
            "predicted": predicted,
        }
    )
    return rows[::-1] if reverse else rows


@pytest.fixture
def predictions():
    return pd.concat(
        [
            frame("original", "seed_source", FIRST),
            frame("original", "heldout_source", LABELS),
            frame("other", "seed_source", SECOND, reverse=True),
            frame("other", "heldout_source", LABELS),
        ]
    )


def test_failures_frame_in_both_settings(predictions):
    params = ErrorsParams(classes=["b", "a"], setting="single", models=[])
    single = failures_frame(predictions, "abc", params)
    assert single["image_id"].tolist() == [
        "seed_source0",
        "seed_source1",
        "seed_source2",
        "seed_source4",
        "seed_source5",
    ]
    assert single["class"].tolist() == [0, 0, 0, 1, 1]
    assert single["predicted"].tolist() == [1, 1, 1, 0, 0]
    assert set(single["role"]) == {"seed"}  # nothing of the heldout_source fails
    multi = failures_frame(predictions, "abc", params.model_copy(update={"setting": "multi", "models": ["other"]}))
    assert multi["image_id"].tolist() == ["seed_source0", "seed_source1", "seed_source2", "seed_source5"]


def test_failures_frame_names_what_is_wrong(predictions):
    params = ErrorsParams(classes=["a", "z"], setting="single", models=[])
    with pytest.raises(ValueError, match=r"^errors\.classes: 'z' is not a class"):
        failures_frame(predictions, "abc", params)
    params = ErrorsParams(classes=["a"], setting="multi", models=["absent"])
    with pytest.raises(ValueError, match=r"^predictions: model 'absent' lacks images of set 'seed_source'"):
        failures_frame(predictions, "abc", params)
    section = {"errors": {"classes": ["a"], "setting": "multi", "models": []}}
    with pytest.raises(ParamsError, match=r"the multi-model setting needs names"):
        check(section, "errors", ErrorsParams)


MENDED = pd.DataFrame(
    [("label-a-1", "a", "diagnosis2"), ("label-a-1", "a", "diagnosis0"), ("label-b-1", "b", "diagnosis4")],
    columns=["mode", "class_name", "image_id"],
)


def mended(predictions, rows, classes=("a", "b")):
    predictions = pd.concat([predictions, frame("original", "diagnosis", FIRST)])
    params = ErrorsParams(classes=list(classes), setting="single", models=[])
    return failures_frame(predictions, "abc", params, rows)


def test_failures_of_mended_modes_have_a_role_of_their_own(predictions):
    found = mended(predictions, pd.concat([MENDED, MENDED]))  # twice named, once taken
    modes = found[found["role"] == "mode"]
    assert modes["image_id"].tolist() == ["diagnosis0", "diagnosis2", "diagnosis4"]
    assert modes["class"].tolist() == [0, 0, 1]
    assert modes["predicted"].tolist() == [1, 1, 0]
    without = mended(predictions, MENDED.head(0))
    assert set(without["role"]) == {"seed"}
    pd.testing.assert_frame_equal(found[found["role"] == "seed"], without)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            ("label-a-1", "a", "diagnosis3"),
            "image 'diagnosis3' is no failure of class a; run `debugset barlow mend label-a-1`",
        ),
        (("label-a-1", "b", "diagnosis0"), "image 'diagnosis0' is no failure of class b"),
        (("label-a-1", "a", "seed_source0"), "image 'seed_source0' is no failure"),
        (("label-b-1", "b", "diagnosis4"), "image 'diagnosis4': b is none of `errors.classes`"),
    ],
)
def test_mended_images_must_be_failures_of_debug_classes(predictions, row, message):
    with pytest.raises(ValueError, match=f"^errors.modes: {message}"):
        mended(predictions, pd.DataFrame([row], columns=MENDED.columns), classes=["a"])


def test_images_of_one_id_in_two_sets_are_told_apart(predictions):
    twin = frame("original", "seed_source", LABELS).head(1).assign(image_id="diagnosis0")
    found = mended(pd.concat([predictions, twin]), MENDED)
    assert found.loc[found["image_id"] == "diagnosis0", "set"].tolist() == ["diagnosis"]


def test_the_modes_file_is_written_and_read(tmp_path):
    path = tmp_path / "errors.modes"
    odd = pd.DataFrame([("label-c_-1", "c#, or C", "img#1")], columns=MENDED.columns)
    write_modes(path, odd)
    pd.testing.assert_frame_equal(read_modes(path), odd, check_dtype=False)
    write_modes(path, MENDED)
    assert path.read_text().startswith("# Failures on `diagnosis`")
    pd.testing.assert_frame_equal(read_modes(path), MENDED, check_dtype=False)
    write_modes(path, MENDED.head(0))
    assert read_modes(path).empty


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"# nothing\n",
        b"mode,class_name\nx,a\n",
        b'mode,class_name,image_id\na,b,c,d,"\n',
        b"mode,class_name,image_id\na,b,c,d\n",
        b"mode,class_name,image_id\na,b,\xff\n",
    ],
)
def test_a_broken_modes_file_is_named(tmp_path, text):
    (tmp_path / "errors.modes").write_bytes(text)
    with pytest.raises(ValueError, match=r"errors\.modes: .*; restore it .*`debugset barlow mend --none`"):
        read_modes(tmp_path / "errors.modes")


def test_a_missing_modes_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"errors\.modes: is missing; restore it \(`git checkout"):
        read_modes(tmp_path / "errors.modes")


def test_images_are_collected_for_seeds_and_mended_modes_alone(predictions):
    collected = collected_for(mended(predictions, MENDED))
    assert set(collected["role"]) == {"seed", "mode"}
    assert collected["set"].tolist() == ["seed_source"] * 5 + ["diagnosis"] * 3
    assert collected.index.tolist() == list(range(8))


@pytest.mark.parametrize("kind", inputs.LABELS)
def test_labels_of_any_type_find_the_same_failures(kind):
    labels, classes = inputs.LABELS[kind](LABELS), inputs.LABELS[kind](np.array([0, 1]))
    assert failures(BOTH, labels, classes).tolist() == [0, 1, 2, 5]
    assert debug_classes(BOTH, labels, min_missed=1).tolist() == [0, 1]
    assert least_accurate(BOTH, labels, 2).tolist() == [0, 1]


@pytest.mark.parametrize(
    "convert", [np.ndarray.tolist, pd.DataFrame, np.float32, np.int16], ids=lambda one: one.__name__
)
def test_predictions_of_any_type_find_the_same_failures(convert):
    assert failures(convert(BOTH), LABELS, np.array([0, 1])).tolist() == [0, 1, 2, 5]


@pytest.mark.parametrize("kind", inputs.BAD_LABELS)
def test_labels_that_are_no_class_indices_are_refused(kind):
    make, line = inputs.BAD_LABELS[kind]
    for find in (debug_classes, lambda *both: least_accurate(*both, 1), lambda *both: failures(*both, np.array([0]))):
        with pytest.raises(ValueError, match=inputs.error("labels", line, 8)):
            find(BOTH, make(8))
    with pytest.raises(ValueError, match=inputs.error("classes", line, 8)):
        failures(BOTH, LABELS, make(8))
    if kind != "one-hot":
        with pytest.raises(ValueError, match=inputs.error("predictions", line, 8)):
            debug_classes([make(8)], LABELS)


def test_an_image_that_shows_no_class_is_no_failure_and_makes_no_debug_class():
    labels = np.where(LABELS == 2, -1, LABELS)
    assert failures(BOTH, labels, np.array([0, 1])).tolist() == [0, 1, 2, 5]
    for find in (debug_classes, lambda *both: least_accurate(*both, 1)):
        with pytest.raises(ValueError, match=r"^labels: expected class indices from 0, but labels\[6\] is -1; "):
            find(BOTH, labels)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_class_names_are_composed_however_they_are_written(tmp_path, form):
    written = unicodedata.normalize(form, "caf\xe9")
    section = {"classes": ["bag", written], "setting": "single", "models": []}
    assert check({"errors": section}, "errors", ErrorsParams).classes == ["bag", "caf\xe9"]
    write_modes(tmp_path / "errors.modes", pd.DataFrame({"mode": ["a"], "class_name": [written], "image_id": ["1"]}))
    assert read_modes(tmp_path / "errors.modes")["class_name"].tolist() == ["caf\xe9"]
    both = {**section, "classes": ["caf\xe9", unicodedata.normalize("NFD", written)]}
    with pytest.raises(ParamsError, match="a name in `classes` comes twice"):
        check({"errors": both}, "errors", ErrorsParams)
