"""Answer files: what annotators saved, checked against the kit."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from debugset.base.files import reading, write_json
from debugset.base.names import composed
from debugset.studies.kit import KINDS, Kit
from debugset.studies.records import Answer, Record, check

_MEND = "save it anew from the kit's page"


class AnswerFile(Record):
    """What a file of answers holds."""

    kit: str  # id of the kit
    kind: str
    annotator: str
    scripted: bool = False  # whether a script answered, and no person
    answers: list[dict[str, Any]]  # fields as of the kind's Answer


def write_answers(path: Path, kit: Kit, annotator: str, answers: Sequence[Answer], *, scripted: bool) -> None:
    """Write answers as the kit's page saves them."""
    content = [answer.model_dump(mode="json", exclude_none=True) for answer in answers]
    file = AnswerFile(kit=kit.id, kind=kit.kind, annotator=annotator, scripted=scripted, answers=content)
    write_json(path, file.model_dump(mode="json"))


def read_answers(paths: Sequence[Path], kit: Kit) -> pd.DataFrame:
    """The answers of all files, a row each: annotator, scripted, and the fields of the kind's Answer.

    Tasks that an annotator left out have no row.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: a file answers another kit, holds a wrong answer, answers a task twice or none at all, or two are
            the same annotator's.
    """
    rows: list[dict[str, Any]] = []
    first_files: dict[str, Path] = {}  # by annotator
    for path in paths:
        file = _read_file(path)
        if file.kit != kit.id:
            raise ValueError(f"{path}: answers kit {file.kit}, not {kit.id}; give the kit that it was saved from")
        annotator = " ".join(composed(file.annotator).split())
        if not annotator:
            raise ValueError(f"{path}: names no annotator; fill in `annotator`")
        if annotator.casefold() in first_files:
            other = first_files[annotator.casefold()]
            raise ValueError(f"{path}: {annotator!r} answers in {other} too; leave one out, or rename one")
        first_files[annotator.casefold()] = path
        answers = _check_answers(path, file.answers, kit)
        rows += [{"annotator": annotator, "scripted": file.scripted, **answer.model_dump()} for answer in answers]
    return pd.DataFrame(rows)


def _read_file(path: Path) -> AnswerFile:
    with reading(path, "not a file of answers", _MEND):
        return check(AnswerFile, json.loads(path.read_text(encoding="utf-8")))


def _check_answers(path: Path, content: list[dict[str, Any]], kit: Kit) -> list[Answer]:
    """A file's answers, each to another task of the kit."""
    if not content:
        raise ValueError(f"{path}: holds no answers; leave it out")
    model, found = KINDS[kit.kind].Answer, {}
    for one in content:
        try:
            answer = check(model, one)
        except ValueError as error:
            raise ValueError(f"{path}: task {one.get('task', '?')}: {error}; {_MEND}") from None
        if not 1 <= answer.task <= len(kit.tasks):
            raise ValueError(f"{path}: task {answer.task} is none of the kit's {len(kit.tasks)}; {_MEND}")
        if answer.task in found:
            raise ValueError(f"{path}: task {answer.task} is answered twice; leave one answer out")
        found[answer.task] = answer
    return list(found.values())
