"""What a value of a table or of JSON says as a text: whole numbers in all their digits, nothing guessed."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

from debugset.pool.text_search import clean_text

_EXACT = 2**53  # below it a float of 64 bits tells whole numbers apart
_NO_TEXTS: dict[type, str] = {bytes: "bytes", list: "a list", dict: "a dict"}
_WHOLE = re.compile(r"(\d+)\.0+")
_ROUNDED = re.compile(r"\d(?:\.\d+)?[eE]\+\d+")


def value_text(value: Any, where: str, exact: int = _EXACT) -> str:
    """A value as a text: "" where it is missing, a whole number without a fraction, a date or time as in ISO 8601.

    Args:
        value: what `json` or Arrow gives.
        where: names file, row and column in messages.
        exact: the whole number from which on its type of float has gaps.

    Raises:
        ValueError: it is no text or number, or a float so large that it may have been another whole number.
    """
    if value is None or value != value:  # NaN alone differs from itself
        return ""
    if type(value) in _NO_TEXTS:
        raise ValueError(f"{where} is {_NO_TEXTS[type(value)]}; write a text or a number")
    if isinstance(value, float) and value.is_integer():
        if abs(value) >= exact:
            raise _lost_digits(where, value)
        return str(int(value))
    if isinstance(value, Decimal) and value == int(value):
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else clean_text(str(value))


def number_text(text: str, where: str) -> str:
    """A text, but of a whole number that a program wrote as a float (pandas does, beside gaps) its digits.

    Raises:
        ValueError: the number is rounded, or so large that it may have been another.
    """
    digits = without_fraction(text)
    if _ROUNDED.fullmatch(text) or (digits != text and float(digits) >= _EXACT):
        raise _lost_digits(where, text)
    return digits


def without_fraction(text: str) -> str:
    """A text, but 7 for 7.0 and the like."""
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def _lost_digits(where: str, value: object) -> ValueError:
    mend = "write whole numbers as integers or text"
    return ValueError(f"{where} {value} is a float, which has lost digits of a whole number; {mend}")
