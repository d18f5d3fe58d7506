import pytest

from debugset.pool.names import is_name, require_name


@pytest.mark.parametrize("text", ["5123", "batch-a.b_c", "a" * 80])
def test_what_can_be_a_file_and_part_of_an_address_is_a_name(text: str) -> None:
    assert is_name(text)
    require_name(text, "one.csv: row 1: id")


@pytest.mark.parametrize("text", ["", "a b", "a/b", "caf\u00e9", "1\n", "a" * 81])
def test_what_cannot_is_refused_in_one_line_that_says_where(text: str) -> None:
    assert not is_name(text)
    with pytest.raises(ValueError, match=r"^one.csv: row 1: id: .* is no name; use 1 to 80 of") as error:
        require_name(text, "one.csv: row 1: id")
    assert "\n" not in str(error.value)
