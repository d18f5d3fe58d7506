"""Which names photos and shards may have: they become names of files and parts of addresses."""

import re

_NAME = re.compile(r"[A-Za-z0-9._-]{1,80}")


def is_name(text: str) -> bool:
    """Whether a text can be a photo's id or a shard's name."""
    return _NAME.fullmatch(text) is not None


def require_name(text: str, where: str) -> None:
    """Raise ValueError if a text cannot be a photo's id or a shard's name; ``where`` says its file and row."""
    if not is_name(text):
        raise ValueError(f"{where}: {text!r} is no name; use 1 to 80 of the characters A-Z a-z 0-9 . _ -")
