import pytest

from debugset.pool.search import choose_size

PHOTO = {
    "url_o": "original",
    "width_o": "900",
    "height_o": 700,
    "url_n": "small",
    "width_n": 320,
    "height_n": 240,
    "url_z": "unmeasured",
}


@pytest.mark.parametrize(
    ("sizes", "min_side", "chosen"),
    [
        (["n", "o"], 100, ("small", "")),
        (["n", "o"], 300, ("original", "")),  # the shorter side counts
        (["k", "o"], 100, ("original", "")),
        (["z"], 5000, ("unmeasured", "")),  # of unknown length: tried
        (["n", "o"], 701, ("", "too_small")),
        (["k", "h"], 1, ("", "no_size")),
    ],
)
def test_the_first_wished_size_that_is_large_enough(sizes: list[str], min_side: int, chosen: tuple[str, str]) -> None:
    assert choose_size(PHOTO, sizes, min_side) == chosen
