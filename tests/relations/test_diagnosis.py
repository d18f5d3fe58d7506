"""The diagnosis: every number against loops, the paper's two thresholds, the rarer mode, equation 5."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugset.relations.diagnosis import MODES, attribute_divergences, diagnose, mode_counts, pair_samples, rarer_mode
from tests.base.inputs import MASKS
from tests.reference import relations as naive

NAMES = ["a", "b", "c", "d"]
COLUMNS = [
    "attribute_a", "attribute_b", "relation", "mean", "kl", "kind", "mode",
    "expected_mean", "expected_std", "std", "images", "rank",
]  # fmt: skip


def world(random_state, images=30, attributes=4, rate=0.4):
    """Cosines that lean some way for each pair, and attributes."""
    rng = np.random.default_rng(random_state)
    lean = rng.uniform(-0.6, 0.6, (attributes, attributes))
    cosines = (lean + rng.uniform(-0.3, 0.3, (images, attributes, attributes))).astype(np.float32)
    return cosines, np.where(rng.random((images, attributes)) < rate, 1, -1)


def truth(*rows):
    return pd.DataFrame(rows, columns=["attribute_a", "attribute_b", "relation"])


def numbered(relations, names=NAMES):
    return [(names.index(a), names.index(b), label) for a, b, label in relations.itertuples(index=False)]


def assert_equals_twin(cosines, shown, relations, **options):
    found = diagnose(cosines, pd.DataFrame(shown, columns=NAMES), relations, **options)
    expected = naive.diagnose(cosines.tolist(), shown.tolist(), numbered(relations), **options)
    for row, wished in zip(found.to_dict("records"), expected, strict=True):
        for name, value in wished.items():
            if isinstance(value, str):
                assert row[name] == value
            else:
                assert row[name] == pytest.approx(value, abs=1e-6, nan_ok=True), name
    return found


ALL = truth(
    ("a", "b", "x"), ("c", "a", "y"), ("a", "d", "x"), ("b", "c", "x"), ("d", "b", "y"), ("c", "d", "z")
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 25), st.sampled_from([0.05, 0.4, 0.9]), st.permutations(range(6)))
def test_every_number_equals_the_twin(random_state, images, rate, order):
    cosines, shown = world(random_state, images, rate=rate)
    found = assert_equals_twin(cosines, shown, ALL.iloc[order[:5]].reset_index(drop=True), bins=10)
    assert found.columns.tolist() == COLUMNS


@pytest.mark.parametrize("threshold", [0.1, 0.2, 0.35])
def test_both_kinds_occur_and_equal_the_twin(threshold):
    kinds = set()
    for random_state in range(8):
        cosines, shown = world(random_state)
        found = assert_equals_twin(cosines, shown, ALL, threshold=threshold, min_std=0.1)
        kinds |= set(found["kind"])
        assert ((found["mode"] != "") == (found["kind"] == "failure mode")).all()
    assert kinds == {"", "blind spot", "failure mode"}


def test_the_default_threshold_is_the_paper_s():
    cosines, shown = world(1)
    found = diagnose(cosines, pd.DataFrame(shown, columns=NAMES), ALL)
    pd.testing.assert_frame_equal(found, diagnose(cosines, pd.DataFrame(shown, columns=NAMES), ALL, threshold=0.2))


def kinds_at(first, second, threshold=0.25):
    """The kinds of two pairs of one label with these mean cosines, all images showing everything."""
    cosines = np.zeros((4, 3, 3), np.float32)
    cosines[:, 0, 1], cosines[:, 0, 2] = first, second
    relations = truth(("a", "b", "x"), ("a", "c", "x"))
    return diagnose(cosines, pd.DataFrame(np.ones((4, 3)), columns=list("abc")), relations, threshold=threshold)[
        "kind"
    ].tolist()


def test_both_thresholds_are_strict():
    assert kinds_at(0.5, 0.0) == ["", ""]  # both are 0.25 from their mean, 0.25
    assert kinds_at(0.625, 0.0) == ["failure mode", "blind spot"]
    assert kinds_at(-0.625, 0.0) == ["failure mode", "blind spot"]
    assert kinds_at(0.25, -0.75) == ["", "failure mode"]  # 0.5 from the mean, but neither below nor above 0.25
    assert kinds_at(-0.25, 0.75) == ["", "failure mode"]
    assert kinds_at(0.125, 0.125) == ["", ""]
    assert kinds_at(0.875, 0.875) == ["", ""]  # strong, as its label lets expect


def test_images_that_show_neither_attribute_count_nowhere():
    cosines, shown = world(3)
    neither = (shown[:, :2] < 0).all(1)
    assert neither.any()
    relations = truth(("a", "b", "x"))
    found = diagnose(cosines, pd.DataFrame(shown, columns=NAMES), relations)
    moved = cosines.copy()
    moved[neither, 0, 1] = 1
    pd.testing.assert_frame_equal(found, diagnose(moved, pd.DataFrame(shown, columns=NAMES), relations))
    assert found["images"].tolist() == [(~neither).sum()]


@pytest.mark.parametrize(
    ("counts", "mean", "mode"),
    [
        ((5, 3, 2, 9), 0.5, "-+"), ((5, 2, 3, 0), 0.5, "+-"), ((1, 2, 2, 0), 0.5, "+-"),
        ((5, 3, 2, 9), -0.5, "++"), ((9, 0, 0, 5), -0.5, "--"), ((4, 1, 1, 4), -0.5, "++"), ((4, 1, 1, 4), 0.5, "+-"),
    ],
)  # fmt: skip
def test_the_mode_is_the_rarer_of_the_two_kinds_of_images_that_the_relation_gets_wrong(counts, mean, mode):
    signs = [sign for sign, count in zip(MODES, counts, strict=True) for _ in range(count)]
    a, b = (pd.Series([sign[place] == "+" for sign in signs]) for place in (0, 1))
    assert mode_counts(a, b).tolist() == list(counts)
    assert rarer_mode(a, b, mean) == mode


def test_ranks_run_within_a_label_from_the_highest_divergence():
    cosines, shown = world(5, images=60)
    found = diagnose(cosines, pd.DataFrame(shown, columns=NAMES), ALL)
    assert found["relation"].value_counts().to_dict() == {"x": 3, "y": 2, "z": 1}
    for _, rows in found.groupby("relation"):
        ordered = rows.sort_values("rank")
        assert ordered["rank"].tolist() == list(range(1, len(rows) + 1))
        assert ordered["kl"].is_monotonic_decreasing
    assert found["kl"].is_unique


def test_a_pair_that_no_image_shows_has_no_mean_and_changes_no_other():
    cosines, shown = world(2)
    shown[:, 2:] = -1
    table = pd.DataFrame(shown, columns=NAMES)
    relations = truth(("a", "b", "x"), ("c", "d", "x"), ("a", "c", "x"))
    found = diagnose(cosines, table, relations)
    empty = found.iloc[1]
    assert (empty["images"], empty["kind"], empty["mode"]) == (0, "", "")
    assert empty[["mean", "kl", "std", "rank"]].isna().all()
    without = diagnose(cosines, table, relations.iloc[[0, 2]])
    pd.testing.assert_frame_equal(found.iloc[[0, 2]].reset_index(drop=True), without)
    alone = diagnose(cosines, table, truth(("c", "d", "x"))).iloc[0]
    assert alone[["mean", "kl", "expected_mean", "expected_std"]].isna().all()


def test_the_attributes_of_an_array_are_numbered():
    cosines, shown = world(4)
    named = diagnose(cosines, pd.DataFrame(shown, columns=NAMES), truth(("b", "d", "x"), ("a", "b", "y")))
    found = diagnose(cosines, shown, truth((1, 3, "x"), (0, 1, "y")))
    assert found[["attribute_a", "attribute_b"]].to_numpy().tolist() == [[1, 3], [0, 1]]
    pd.testing.assert_frame_equal(found[COLUMNS[2:]], named[COLUMNS[2:]])
    floats = np.where(shown > 0, 0.01, 0.0)  # continuous attributes are there where they are positive
    pd.testing.assert_frame_equal(diagnose(cosines, floats, truth((1, 3, "x"), (0, 1, "y"))), found)


def test_pairs_without_a_label_are_left_out():
    cosines, shown = world(6)
    table = pd.DataFrame(shown, columns=NAMES)
    relations = truth(("a", "b", "x"), ("c", "d", ""), ("a", "c", None), ("b", "c", "  "), ("a", "d", "x"))
    pd.testing.assert_frame_equal(diagnose(cosines, table, relations), diagnose(cosines, table, relations.iloc[[0, 4]]))


def test_the_order_of_images_changes_nothing():
    cosines, shown = world(7)
    order = np.random.default_rng(0).permutation(30)
    found, again = (
        diagnose(cosines[rows], pd.DataFrame(shown[rows], columns=NAMES), ALL) for rows in (np.arange(30), order)
    )
    pd.testing.assert_frame_equal(found, again)


def test_an_attribute_s_divergence_is_the_mean_over_its_labelled_neighbours():
    cosines, shown = world(8)
    relations = ALL.iloc[:4]
    found = diagnose(cosines, pd.DataFrame(shown, columns=NAMES), relations)
    pairs = list(zip(found["attribute_a"], found["attribute_b"], strict=True))
    expected = {name: naive.attribute_divergence(pairs, found["kl"].tolist(), name) for name in NAMES}
    divergences = attribute_divergences(found)
    assert divergences.to_dict() == pytest.approx(expected)
    assert divergences.is_monotonic_decreasing
    assert attribute_divergences(found.iloc[:1]).index.tolist() == ["a", "b"]  # c and d have no labelled pair


def test_a_pair_without_a_divergence_is_no_neighbour():
    found = pd.DataFrame({"attribute_a": ["a", "a"], "attribute_b": ["b", "c"], "kl": [0.5, np.nan]})
    divergences = attribute_divergences(found)
    assert divergences.loc[["a", "b"]].tolist() == [0.5, 0.5]
    assert np.isnan(divergences["c"])


BAD = {
    "relations, line 3: e is no attribute; there are a, b, c, d": truth(("a", "b", "x"), ("a", "e", "x")),
    "relations, line 2: e is no attribute": truth(("e", "b", "x")),
    "relations, line 4: b and a stand in line 2 too": truth(("a", "b", "x"), ("a", "c", "x"), ("b", "a", "y")),
    "relations, line 3: a and b stand in line 2 too": truth(("a", "b", "x"), ("a", "b", "x")),
    "relations, line 2: c is paired with itself; remove the line": truth(("c", "c", "x")),
    "relations: column `relation` is missing; the columns are attribute_a, attribute_b, relation": truth(
        ("a", "b", "x")
    ).drop(columns="relation"),
    "relations: no pair has a label; write one": truth(("a", "b", ""), ("a", "c", None)),
}


@pytest.mark.parametrize("line", BAD)
def test_a_bad_ground_truth_is_named(line):
    cosines, shown = world(0)
    with pytest.raises(ValueError, match=line) as caught:
        diagnose(cosines, pd.DataFrame(shown, columns=NAMES), BAD[line])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", [np.nan, 1.01, -2.0])
def test_bad_cosines_are_named(bad):
    cosines, shown = world(0)
    with pytest.raises(ValueError, match=r"cosines: shape \(30, 4, 4\) does not fit 29 images of 4 attributes"):
        diagnose(cosines, shown[:29], truth((0, 1, "x")))
    with pytest.raises(ValueError, match=r"cosines: shape \(30, 4, 4\) does not fit 30 images of 3 attributes"):
        diagnose(cosines, shown[:, :3], truth((0, 1, "x")))
    cosines[3, 0, 1] = bad
    with pytest.raises(ValueError, match=r"cosines: a value is missing or outside \[-1, 1\]"):
        diagnose(cosines, shown, truth((0, 1, "x")))


ATTRIBUTES = {
    "booleans": lambda shown: shown > 0,
    "1 and 0": lambda shown: (shown > 0).astype(np.uint8),
    "floats": lambda shown: shown.astype(np.float32),
    "a list": lambda shown: shown.tolist(),
    "a frame of objects": lambda shown: pd.DataFrame(shown.astype(object)),
    "a frame of nullable columns": lambda shown: pd.DataFrame(shown).astype("Int64"),
}


@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_attributes_and_cosines_of_any_type_give_the_same_diagnosis(kind):
    cosines, shown = world(1)
    relations = truth((0, 1, "x"), (1, 2, "x"), (0, 3, "y"))
    wished = diagnose(cosines.astype(float), shown, relations)
    pd.testing.assert_frame_equal(diagnose(cosines.tolist(), ATTRIBUTES[kind](shown), relations), wished)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda shown: np.where(shown > 0, "yes", "no"),
            r"attributes: expected numbers \(images x attributes\), got shap",
        ),
        (lambda shown: shown[:, 0], r"attributes: expected numbers .*, got shape \(30,\) of int64; write 1 where"),
        (lambda shown: np.where(np.arange(4) == 2, np.nan, shown), "attributes: row 0, column 2 is missing; leave the"),
        (
            lambda shown: [*shown.tolist()[:29], [1]],
            "attributes: is no array .*; pass an array, or rows of equal length",
        ),
        (lambda shown: pd.DataFrame(shown > 0).replace({False: None}), "attributes: expected numbers .* of object; "),
    ],
)
def test_attributes_that_leave_a_doubt_are_refused(change, line):
    cosines, shown = world(1)
    with pytest.raises(ValueError, match=line) as caught:
        diagnose(cosines, change(shown), truth((0, 1, "x")))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", MASKS)
def test_modes_are_counted_from_any_kind_of_truth(kind):
    a, b = np.array([True, True, False, False, False]), np.array([True, False, False, True, False])
    as_column = lambda mask: pd.Series(np.asarray(MASKS[kind](mask)).reshape(-1))  # noqa: E731
    assert mode_counts(as_column(a), as_column(b)).tolist() == [1, 1, 1, 2]
    with pytest.raises(ValueError, match=r"^a: expected True or False, but a\[0\] is -1; "):
        mode_counts(pd.Series([-1, 1]), pd.Series([1, 1]))


def test_the_samples_of_a_pair_need_a_truth_and_not_signs():
    cosines, shown = world(1)
    wished = pair_samples(cosines, pd.DataFrame(shown > 0), 0, 1)
    assert pair_samples(cosines, pd.DataFrame(shown > 0).astype(int), 0, 1).tolist() == wished.tolist()
    with pytest.raises(ValueError, match=r"^shown: expected True or False, but shown\[\d+\] is -1; "):
        pair_samples(cosines, pd.DataFrame(shown), 0, 1)
