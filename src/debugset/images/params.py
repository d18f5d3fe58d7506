"""The section ``prepare``: where the images come from decides its model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from debugset.images.fashion import PrepareParams
from debugset.images.imagenet import ImageNetParams
from debugset.params import PARAMS_FILE, ParamsError, check

SOURCES = ("fashion", "imagenet")


def prepare_params(sections: Mapping[str, Any], path: Path = PARAMS_FILE) -> PrepareParams | ImageNetParams:
    """Validate the section ``prepare`` of a parameter file by the model of its ``source``.

    Args:
        sections: all sections, as read.
        path: the file, for error texts.

    Raises:
        ParamsError: names the file, the full key and what is wrong with its value.
    """
    section = sections.get("prepare")
    source = section.get("source") if isinstance(section, Mapping) else "fashion"
    if source not in SOURCES:
        raise ParamsError(f"{path}: `prepare.source`: expected one of {', '.join(SOURCES)} (got {source!r})")
    if source == "imagenet":
        return check(sections, "prepare", ImageNetParams, path)
    return check(sections, "prepare", PrepareParams, path)
