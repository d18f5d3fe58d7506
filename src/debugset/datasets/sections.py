"""The section ``attributed``: where images with attributes come from decides its model. `none` is a profile without."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from debugset.base.params import PARAMS_FILE, ParamsError, Section, check
from debugset.datasets import celeba, sun
from debugset.datasets.cropped import Record
from debugset.datasets.fashion import FashionParams
from debugset.datasets.fashion_mnist import garments
from debugset.datasets.imagenet import ImageNetParams
from debugset.datasets.outfits import SETS, OutfitsParams, draw_outfits

SOURCES = ("fashion", "imagenet")


class NoAttributes(Section):
    """Section ``attributed`` with ``source: none``: no images with attributes, so no relations to diagnose."""

    source: Literal["none"]


Params = OutfitsParams | celeba.CelebAParams | sun.SunParams | NoAttributes
MODELS: Mapping[str, type[Section]] = {
    "outfits": OutfitsParams, "celeba": celeba.CelebAParams, "sun": sun.SunParams, "none": NoAttributes,
}  # fmt: skip


def attributed_params(sections: Mapping[str, Any], path: Path = PARAMS_FILE) -> Params:
    """Validate the section ``attributed`` of a parameter file by the model of its ``source``.

    Args:
        sections: all sections, as read.
        path: the file, for error texts.

    Raises:
        ParamsError: names the file, the full key and what is wrong with its value.
    """
    section = sections.get("attributed")
    source: Any = section.get("source") if isinstance(section, Mapping) else "outfits"
    if source not in MODELS:
        raise ParamsError(f"{path}: `attributed.source`: expected one of {', '.join(MODELS)} (got {source!r})")
    found: Any = check(sections, "attributed", MODELS[source], path)
    return found


def attribute_sets(params: Params) -> dict[str, tuple[Iterable[Record], int]]:
    """The images of ``train`` and ``test``, and how many photos were dropped for a useless box.

    Raises:
        ValueError: the environment does not name the collection's folder, or a file of it is not as it should be.
        OSError: a file is missing.
    """
    if isinstance(params, NoAttributes):
        return {name: ((), 0) for name in SETS}
    if isinstance(params, OutfitsParams):
        clothes, labels = garments()
        return {name: (draw_outfits(name, params, clothes, labels), 0) for name in SETS}
    if isinstance(params, celeba.CelebAParams):
        return {name: celeba.records(name, params, celeba.celeba_root()) for name in SETS}
    return {name: sun.records(name, params, sun.sun_root()) for name in SETS}


def prepare_params(sections: Mapping[str, Any], path: Path = PARAMS_FILE) -> FashionParams | ImageNetParams:
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
    return check(sections, "prepare", FashionParams, path)
