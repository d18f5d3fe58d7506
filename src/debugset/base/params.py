"""Reading ``params.yaml``: one section, checked by the pydantic model that its own room defines.

A new section touches no other room. A wrong key, type or range ends in one line that names it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from debugset.base.names import composed
from debugset.base.paths import PARAMS_FILE


class Section(BaseModel):
    """Base of every section's model: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def distinct(values: list) -> list:
    """A parameter's values, if none comes twice."""
    if len(set(map(str, values))) < len(values):  # lists among them have no hash
        raise ValueError("a value comes twice")
    return values


# macOS writes some letters as two characters; then equal names would differ
Name = Annotated[str, AfterValidator(composed)]

S = TypeVar("S", bound=Section)


class ParamsError(ValueError):
    """A parameter is missing, unknown, of the wrong type or out of range; the text is one line."""


def read(path: Path = PARAMS_FILE) -> dict[str, Any]:
    """Read a parameter file as a mapping of sections.

    Raises:
        ParamsError: the file is missing, is not YAML, or is not a mapping.
    """
    return parse(read_text(path), path)


def read_text(path: Path = PARAMS_FILE) -> str:
    """The text of a parameter file; a ParamsError if it is missing, or is no text."""
    if not path.is_file():
        raise ParamsError(f"{path}: no such parameter file; in the clone, run `debugset use NAME` to choose a profile")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ParamsError(f"{path}: not valid YAML: {error}") from None


@contextmanager
def explain_yaml(path: Path) -> Iterator[None]:
    """Let YAML's errors be a ParamsError of one line that names file and line."""
    try:
        yield
    except MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ParamsError(f"{path}: not valid YAML: {line}{error.problem}") from None
    except YAMLError as error:  # a character that no text holds
        raise ParamsError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None


def parse(text: str, path: Path) -> dict[str, Any]:
    """The sections that a text holds, by the rules of YAML 1.2, as DVC reads them; ``path`` is for error texts.

    Raises:
        ParamsError: it is not YAML, or is not a mapping.
    """
    with explain_yaml(path):
        sections = YAML(typ="safe").load(text)
    if not isinstance(sections, dict):
        raise ParamsError(f"{path}: expected a mapping of sections")
    return sections


def check(sections: Mapping[str, Any], name: str, model: type[S], path: Path = PARAMS_FILE) -> S:
    """Validate one section of a parameter file that has been read.

    Raises:
        ParamsError: names the file, the full key and what is wrong with its value.
    """
    if name not in sections:
        raise ParamsError(f"{path}: section `{name}` is missing")
    try:
        return model.model_validate(sections[name])
    except ValidationError as error:
        raise ParamsError(f"{path}: {_first_line(name, error)}") from None


def load(name: str, model: type[S], path: Path = PARAMS_FILE) -> S:
    """Read and validate one section of the parameter file; errors as of `read` and `check`."""
    return check(read(path), name, model, path)


def _first_line(name: str, error: ValidationError) -> str:
    # A misspelt key is an unknown one and a missing one: name what the user wrote.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    key = ".".join([name, *(str(part) for part in first["loc"])])
    if first["type"] == "extra_forbidden":
        return f"`{key}` is not a parameter; remove it or correct its spelling"
    if first["type"] == "missing":
        return f"`{key}` is missing"
    return f"`{key}`: {first['msg']} (got {first['input']!r})"
