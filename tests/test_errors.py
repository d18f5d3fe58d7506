import numpy as np
import pandas as pd
import pytest

from debugset.errors import ErrorsParams, complement, debug_classes, failures, failures_frame, least_accurate
from debugset.params import ParamsError, check

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


def test_complement_is_what_only_other_releases_have():
    releases = {"matched": ["b", "c"], "top": ["c", "d"], "threshold": ["a", "b", "d"]}
    assert complement(releases, "matched") == ["a", "d"]
    with pytest.raises(ValueError, match=r"^matched: 'other' is not a release"):
        complement(releases, "other")


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
            frame("original", "mfreq", FIRST),
            frame("original", "complement", LABELS),
            frame("other", "mfreq", SECOND, reverse=True),
            frame("other", "complement", LABELS),
        ]
    )


def test_failures_frame_in_both_settings(predictions):
    params = ErrorsParams(classes=["b", "a"], setting="single", models=[])
    single = failures_frame(predictions, "abc", params)
    assert single["image_id"].tolist() == ["mfreq0", "mfreq1", "mfreq2", "mfreq4", "mfreq5"]
    assert single["class"].tolist() == [0, 0, 0, 1, 1]
    assert single["predicted"].tolist() == [1, 1, 1, 0, 0]
    assert set(single["role"]) == {"seed"}  # nothing of the complement fails
    multi = failures_frame(predictions, "abc", params.model_copy(update={"setting": "multi", "models": ["other"]}))
    assert multi["image_id"].tolist() == ["mfreq0", "mfreq1", "mfreq2", "mfreq5"]


def test_failures_frame_names_what_is_wrong(predictions):
    params = ErrorsParams(classes=["a", "z"], setting="single", models=[])
    with pytest.raises(ValueError, match=r"^errors\.classes: 'z' is not a class"):
        failures_frame(predictions, "abc", params)
    params = ErrorsParams(classes=["a"], setting="multi", models=["absent"])
    with pytest.raises(ValueError, match=r"^predictions: model 'absent' lacks images of set 'mfreq'"):
        failures_frame(predictions, "abc", params)
    section = {"errors": {"classes": ["a"], "setting": "multi", "models": []}}
    with pytest.raises(ParamsError, match=r"the multi-model setting needs names"):
        check(section, "errors", ErrorsParams)
