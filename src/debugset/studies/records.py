"""What a kit and its answers are made of: records that are checked when they are read."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class Record(BaseModel):
    """A record of a JSON file; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Task(Record):
    """One task of a study, with the truth that annotators don't see."""

    features: tuple[int, ...] = ()  # whose top pictures the task shows, in that order


class Answer(Record):
    """An annotator's answer to one task."""

    task: int  # its number, from 1


R = TypeVar("R", bound=Record)


def check(model: type[R], content: Any) -> R:
    """Content of a JSON file as a record; a ValueError says in one line which field is wrong."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{field}: {first['msg']}" if field else first["msg"]) from None
