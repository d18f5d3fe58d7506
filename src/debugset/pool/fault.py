"""Why a photo that was found is not packed."""

from enum import StrEnum

from debugset.images.content import FAULT_TEXTS


class Fault(StrEnum):
    """The reasons that tables and reports name, each with its ``text`` for people."""

    text: str

    CROSS_CLASS = "cross_class", "found by several classes"
    LICENCE = "licence", "licence not in scrape.licences"
    OUTSIDE_WINDOW = "outside_window", "uploaded at another time"
    INCOMPLETE = "incomplete", "no owner, date or licence"
    NO_SIZE = "no_size", "no size of scrape.sizes"
    TOO_SMALL = "too_small", "too small"
    GONE = "gone", "no longer there"
    REFUSED = "refused", "file refused by the service"
    UNREACHABLE = "unreachable", "given up after it failed in every run"
    PLACEHOLDER = "placeholder", 'a picture that says "unavailable"'
    OPTED_OUT = "opted_out", "opted out of machine learning"
    HTML = "html", FAULT_TEXTS["html"]
    TRUNCATED = "truncated", FAULT_TEXTS["truncated"]
    UNDECODABLE = "undecodable", FAULT_TEXTS["undecodable"]
    TOO_LARGE = "too_large", "too many bytes"
    TOO_MANY_PIXELS = "too_many_pixels", FAULT_TEXTS["too_many_pixels"]
    DUPLICATE = "duplicate", "the same bytes as an older photo"

    def __new__(cls, name: str, text: str = "") -> "Fault":
        """A member whose value is its name in tables."""
        fault = str.__new__(cls, name)
        fault._value_ = name
        fault.text = text
        return fault
