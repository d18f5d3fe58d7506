"""Names that people write: in one form, and by kind."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

_NAMES_SHOWN = 12


def composed(text: str) -> str:
    """A text in Unicode's form NFC, in which names are compared.

    "é" may be one character or two that look the same; macOS writes the names of folders with two.
    """
    return unicodedata.normalize("NFC", text)


def some(names: Sequence[str]) -> str:
    """Names in a row, of many the first and how many there are."""
    more = f", ... ({len(names):,} in all)" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


def ending(name: str) -> str:
    """The kind of a file by its name."""
    return PurePosixPath(name).suffix.lower() or "no ending"


def counted_kinds(kinds: Counter[str]) -> list[str]:
    """Each kind with its number, the most frequent first: ``[".txt 7", ".avif 2"]``; "?" for what is not UTF-8."""
    ordered = sorted(kinds.items(), key=lambda item: (-item[1], item[0]))
    return [f"{kind} {count:,}".encode("utf-8", "replace").decode() for kind, count in ordered]
