"""Names that people write, in one form."""

import unicodedata


def composed(text: str) -> str:
    """A text in Unicode's form NFC, in which names are compared.

    "é" may be one character or two that look the same; macOS writes the names of folders with two.
    """
    return unicodedata.normalize("NFC", text)
