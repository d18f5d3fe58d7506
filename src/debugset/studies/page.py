"""The page of a kit: one HTML file that works from disk, without network, and knows no answer."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from debugset.base.html import template_environment
from debugset.images.sets import ImageSet
from debugset.report.pictures import THUMBNAIL, data_uri
from debugset.studies.records import Task

_TEMPLATES = Path(__file__).parent / "templates"
_LARGE = 256  # px on the longer side of an image that is asked about


class _Shelf:
    """The pictures of a page: each is held once, and templates name it by its number."""

    def __init__(self) -> None:
        self.pictures: list[dict[str, object]] = []
        self._numbers: dict[tuple[Path, str, int], int] = {}

    def place(self, images: ImageSet, image_id: str, longest: int) -> int:
        """The number of an image of a set, at most ``longest`` px on its longer side."""
        key = (images.folder, image_id, longest)
        if key not in self._numbers:
            (row,) = images.rows_of([image_id])
            uri, crisp = data_uri(images.image(row), longest)
            self._numbers[key] = len(self.pictures)
            self.pictures.append({"uri": uri, "crisp": crisp})
        return self._numbers[key]


def render(
    kind: str,
    kit: str,
    tasks: Sequence[Task],
    pictures: Mapping[int, Sequence[str]],
    images: ImageSet,
    picture_set: ImageSet,
) -> str:
    """The page as HTML; arguments as `debugset.studies.kit.Kit` has them, with the two sets that ids are of.

    Templates are given the truth too, of which they print nothing; the tests make sure of that.
    """
    shelf = _Shelf()
    style, script = _read("style.css"), _read("page.js")
    return (
        template_environment(_TEMPLATES)
        .get_template("page.html")
        .render(
            kind=kind,
            kit=kit,
            tasks=tasks,
            pictures_of=lambda feature: [shelf.place(picture_set, one, THUMBNAIL) for one in pictures[feature]],
            image=lambda image_id: shelf.place(images, image_id, _LARGE),
            small=lambda image_id: shelf.place(images, image_id, THUMBNAIL),
            shelf=shelf,
            style=Markup(style),  # ours, not a stranger's
            script=Markup(script),
            style_hash=_content_hash(style),
            script_hash=_content_hash(script),
        )
    )


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _content_hash(text: str) -> str:
    """What a Content-Security-Policy calls an inline style or script by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
