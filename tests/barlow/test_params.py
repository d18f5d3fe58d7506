"""The section's rules."""

import pytest

from debugset.barlow.params import BarlowParams
from debugset.base.params import ParamsError, check
from tests.barlow.toys import PARAMS


def test_a_depth_of_modes_that_no_tree_has_is_refused():
    section = {"barlow": PARAMS.model_dump() | {"mode_depth": 2}}
    with pytest.raises(ParamsError, match="`mode_depth` 2 is none of `depths`; add it there"):
        check(section, "barlow", BarlowParams)


@pytest.mark.parametrize("twice", [{"depths": [1, 1]}, {"features": ["robust", "robust"]}])
def test_a_value_that_comes_twice_is_refused(twice):
    with pytest.raises(ParamsError, match=r"`barlow\.\w+`: .*a value comes twice"):
        check({"barlow": PARAMS.model_dump() | twice}, "barlow", BarlowParams)
