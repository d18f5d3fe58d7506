"""Sections ``prepare`` and ``attributed``: the source that each names decides its model and where its images come from.

A profile without images that have attributes says ``attributed.source: none``.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from debugset.base.params import PARAMS_FILE, ParamsError, Section, check
from debugset.datasets import celeba, outfits, sun
from debugset.datasets.collection import SETS, Record, collection_root
from debugset.datasets.fashion import FashionParams
from debugset.datasets.fashion_mnist import read_garments
from debugset.datasets.imagenet import ImageNetParams


class NoAttributes(Section):
    """Section ``attributed`` with ``source: none``: no images with attributes, so no relations to diagnose."""

    source: Literal["none"]


MODELS: Mapping[str, Mapping[str, type[Section]]] = {
    "prepare": {"fashion": FashionParams, "imagenet": ImageNetParams},
    "attributed": {
        "outfits": outfits.OutfitsParams,
        "celeba": celeba.CelebAParams,
        "sun": sun.SunParams,
        "none": NoAttributes,
    },
}


def check_section(sections: Mapping[str, Any], name: str, path: Path = PARAMS_FILE) -> Any:
    """Validate section ``prepare`` or ``attributed`` of a parameter file by the model of its ``source``.

    Raises:
        ParamsError: names the file, the full key and what is wrong with its value.
    """
    models, section = MODELS[name], sections.get(name)
    if not isinstance(section, Mapping):  # any model tells that it is missing, or no mapping
        return check(sections, name, next(iter(models.values())), path)
    source: Any = section.get("source")
    if not isinstance(source, str) or source not in models:
        raise ParamsError(f"{path}: `{name}.source`: expected one of {', '.join(models)} (got {source!r})")
    return check(sections, name, models[source], path)


def attribute_sets(params: Section) -> dict[str, tuple[Iterable[Record], int]]:
    """The images of ``train`` and ``test``, and how many photos were dropped for a useless box.

    Raises:
        ValueError: the environment does not name the collection's folder, or a file of it is not as it should be.
        OSError: a file is missing.
    """
    if isinstance(params, outfits.OutfitsParams):
        garments, labels = read_garments()
        return {name: (outfits.draw_outfits(name, params, garments, labels), 0) for name in SETS}
    if isinstance(params, celeba.CelebAParams):
        root = collection_root(celeba.ROOT_VARIABLE, celeba.CONTENT)
        return {name: celeba.read_records(name, params, root) for name in SETS}
    if isinstance(params, sun.SunParams):
        root = collection_root(sun.ROOT_VARIABLE, sun.CONTENT)
        return {name: sun.read_records(name, params, root) for name in SETS}
    return dict.fromkeys(SETS, ((), 0))
