"""Masks, labels, rows and numbers: the same array of any type that leaves no doubt, else a line that says why not."""

import numpy as np
import pandas as pd
import pytest
import torch

from debugset.base.arrays import as_array, as_floats, as_labels, as_mask, as_rows, as_values
from tests.base.inputs import BAD_LABELS, BAD_MASKS, LABELS, MASKS, error

MASK, INDICES = np.array([False, True, True, False, True]), np.array([2, 0, 1, 1, 0])


def said(call, *arguments, **options):
    with pytest.raises(ValueError) as caught:
        call(*arguments, **options)
    return str(caught.value)


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_of_any_type_is_the_same_booleans(kind):
    found = as_mask(MASKS[kind](MASK), "mask", 5)
    assert found.dtype == bool
    assert found.tolist() == MASK.tolist()


@pytest.mark.parametrize("kind", BAD_MASKS)
def test_what_is_no_mask_is_refused(kind):
    make, line = BAD_MASKS[kind]
    with pytest.raises(ValueError, match=error("keep", line, 5)) as caught:
        as_mask(make(5), "keep", 5)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_type_are_the_same_integers(kind):
    found = as_labels(LABELS[kind](INDICES), "labels", 5)
    assert found.dtype == np.int64
    assert found.tolist() == INDICES.tolist()


@pytest.mark.parametrize("kind", BAD_LABELS)
def test_what_is_no_class_index_is_refused(kind):
    make, line = BAD_LABELS[kind]
    with pytest.raises(ValueError, match=error("labels", line, 5)) as caught:
        as_labels(make(5), "labels", 5)
    assert "\n" not in str(caught.value)


def test_errors_are_whole_lines():
    assert said(as_mask, [3, 1], "exclude", 2, "pool images") == (
        "exclude: expected True or False, but exclude[0] is 3; pass booleans, or 1 and 0; "
        "np.isin(np.arange(2), rows) makes them from row numbers"
    )
    assert said(as_mask, [True], "exclude", 2, "pool images") == (
        "exclude: expected one value for each of 2 pool images, got shape (1,); pass booleans, or 1 and 0; "
        "np.isin(np.arange(2), rows) makes them from row numbers"
    )
    assert said(as_labels, ["a"], "labels") == (
        "labels: expected class indices from 0, but labels[0] is 'a'; pass indices into the class names"
    )
    assert said(as_rows, MASK, "rows", 5) == (
        "rows: expected row numbers from 0 to 4, but rows[0] is False; np.flatnonzero(mask) gives those of a mask"
    )


def test_a_word_among_numbers_is_the_one_that_is_named():
    assert "but labels[2] is 'x'; " in said(as_labels, [0, 1, "x", 3], "labels")
    assert "but keep[1] is 'no'; " in said(as_mask, np.array([1, "no", 0], object), "keep", 3)
    assert "but rows[1] is ''; " in said(as_rows, pd.Series(["0", ""]), "rows", 2)
    assert "but labels[0] is '0'; " in said(as_labels, ["0", "1"], "labels")


def test_arrays_of_the_right_type_are_not_copied():
    assert as_mask(MASK, "mask", 5) is MASK
    assert as_labels(INDICES, "labels") is INDICES
    assert as_rows(INDICES, "rows", 3) is INDICES
    numbers = np.ones((2, 3), np.float32)
    assert as_floats(numbers, "numbers") is numbers
    assert as_floats(numbers.astype(np.int8), "numbers").dtype == np.float64


def test_only_where_images_may_show_no_class_is_a_label_minus_1():
    assert as_labels([0, -1.0], "labels", lowest=-1).tolist() == [0, -1]
    assert "expected class indices from 0, but labels[1] is -1;" in said(as_labels, [0, -1], "labels")
    assert "expected class indices from -1, but labels[1] is -2;" in said(as_labels, [0, -2], "labels", lowest=-1)


@pytest.mark.parametrize("beyond", [np.uint64(2**63), 1e300, np.inf])
def test_a_number_beyond_int64_is_no_label(beyond):
    assert said(as_labels, np.array([0, beyond]), "labels").startswith(
        "labels: expected class indices from 0, but labels["
    )


@pytest.mark.parametrize("values", [[], np.empty(0, bool), pd.Series([], dtype=object), np.array([], str)], ids=type)
def test_nothing_is_a_mask_of_nothing_and_no_labels(values):
    assert as_mask(values, "mask", 0).dtype == bool
    assert as_labels(values, "labels", 0).dtype == np.int64
    assert as_rows(values, "rows", 0).dtype == np.int64


def test_rows_are_in_range_and_no_mask():
    assert as_rows([4.0, 0], "rows", 5).tolist() == [4, 0]
    for values, value in (([0, 5], 5), ([0, -1], -1), ([0, 0.5], 0.5)):
        assert said(as_rows, values, "rows", 5).startswith(
            f"rows: expected row numbers from 0 to 4, but rows[1] is {value};"
        )


def test_values_of_any_type_are_objects_and_none_is_missing():
    assert as_values(["a", "b"], "contexts", 2).tolist() == ["a", "b"]
    assert as_values(pd.DataFrame({"context": ["a", 1]}), "contexts", 2).tolist() == ["a", 1]
    for missing in (None, np.nan, pd.NA):
        line = said(as_values, ["a", missing], "contexts", 2)
        assert line == f"contexts: expected no missing value, but contexts[1] is {missing!r}; name every value"
    assert said(as_values, ["a"], "contexts", 2).startswith("contexts: expected one value for each of 2 images, got")


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (["a", "b"], "numbers: expected an array of numbers, got shape (2,) of <U1"),
        ([True], "numbers: expected an array of numbers, got shape (1,) of bool"),
        ({1, 2}, "numbers: expected an array of numbers, got a set of object"),
        ([None, 1.0], "numbers: expected an array of numbers, got shape (2,) of object"),
    ],
)
def test_what_is_no_number_is_refused(values, line, request):
    untyped = getattr(as_floats, "__wrapped__", as_floats)  # the tests' type checks would refuse a set before
    assert said(untyped, values, "numbers") == line


def test_what_is_no_array_is_refused():
    line = said(as_array, [[1, 2], [3]], "features")
    assert line.startswith("features: is no array (")
    assert line.endswith("inhomogeneous part); pass an array, or rows of equal length")
    hidden = np.ma.masked_array([1, 0], [True, False])
    for call in (as_mask, as_values):
        assert said(call, hidden, "mask", 2) == "mask: some of its values are masked; fill them or leave them out"
    assert as_mask(np.ma.masked_array([1, 0]), "mask", 2).tolist() == [True, False]


def test_tensors_are_read_too():
    assert as_array(torch.tensor([1, 0]), "mask").tolist() == [1, 0]


@pytest.mark.parametrize(
    ("tensor", "why"),
    [
        (torch.ones(2, requires_grad=True), "Use tensor.detach().numpy() instead"),
        (torch.ones(2, device="meta"), "Use Tensor.cpu() to copy the tensor to host memory first"),
        (torch.ones(2, dtype=torch.bfloat16), "Got unsupported ScalarType BFloat16"),
    ],
    ids=["takes gradients", "elsewhere", "a type of torch's own"],
)
def test_a_tensor_that_numpy_does_not_take_ends_in_one_line(tensor, why):
    line = said(as_array, tensor, "features")
    assert line.startswith("features: is no array (")
    assert line.endswith(f"{why}); pass an array, or rows of equal length")
    for call in (as_mask, as_labels, as_values):
        untyped = getattr(call, "__wrapped__", call)  # the tests' type checks would refuse a tensor before
        assert said(untyped, tensor, "features", 2) == line
