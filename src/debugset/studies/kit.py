"""A kit on disk: the page for annotators, and beside it the truth, which the page doesn't hold."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from debugset.base.files import reading, replacing_file, write_json
from debugset.images.sets import ImageSet
from debugset.studies import description, misclassification, simulatability
from debugset.studies.page import render
from debugset.studies.records import check

KINDS: dict[str, ModuleType] = {  # each has Task, Answer, draw_tasks and compute_figures
    "simulatability": simulatability,
    "description": description,
    "misclassification": misclassification,
}
TRUTH, PAGE = "kit.json", "index.html"
_MEND = "restore it, or make the kit anew by `debugset study make`"


@dataclass(frozen=True)
class Kit:
    """A study's tasks, with the truth."""

    kind: str  # of KINDS
    about: dict[str, Any]  # what it was made of: model, layer, images, pictures (sets), random_state, ...
    classes: tuple[str, ...]  # their names
    pictures: dict[int, tuple[str, ...]]  # ids of the images that a feature is shown by
    tasks: tuple[Any, ...]  # each a Task of the kind

    @property
    def id(self) -> str:
        """What answers name the kit by: the beginning of the SHA-256 of all that it holds."""
        text = json.dumps(self.content(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def content(self) -> dict[str, Any]:
        """All that it holds, as JSON takes it."""
        return {
            "kind": self.kind,
            "about": self.about,
            "classes": list(self.classes),
            "pictures": {str(feature): list(ids) for feature, ids in self.pictures.items()},
            "tasks": [task.model_dump(mode="json") for task in self.tasks],
        }


def write_kit(folder: Path, kit: Kit, images: ImageSet, pictures: ImageSet) -> None:
    """Write a kit's page and truth.

    Args:
        folder: where to; what lies there must be the same kit, or nothing.
        kit: the kit.
        images: the set that its tasks' images are of.
        pictures: the set that its features are shown by.

    Raises:
        ValueError: another kit or something else lies there: answers to it would lose their truth.
    """
    has_kit = (folder / TRUTH).is_file()
    if not has_kit and folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder}: is there and holds no kit; name another folder by --into")
    if has_kit and read_kit(folder).id != kit.id:
        raise ValueError(f"{folder}: holds another kit, which its answers need; name another folder by --into")
    html = render(kit.kind, kit.id, kit.tasks, kit.pictures, images, pictures)
    write_json(folder / TRUTH, {"kit": kit.id, **kit.content()})  # file by file: answers beside them stay
    with replacing_file(folder / PAGE) as temporary:
        temporary.write_text(html, encoding="utf-8")


def read_kit(folder: Path) -> Kit:
    """Read a kit's truth.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is something else, or was changed after it was made.
    """
    path = folder / TRUTH
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such kit; `debugset study make` makes one")
    with reading(path, "not the truth of a kit", _MEND):
        content = json.loads(path.read_text(encoding="utf-8"))
        model = KINDS[content["kind"]].Task
        kit = Kit(
            content["kind"],
            content["about"],
            tuple(content["classes"]),
            {int(feature): tuple(ids) for feature, ids in content["pictures"].items()},
            tuple(check(model, task) for task in content["tasks"]),
        )
        if kit.id != content["kit"]:
            raise ValueError(f"it was changed: its id is {kit.id} now, not {content['kit']}")
    return kit
