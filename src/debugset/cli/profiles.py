"""Profiles: parameter files under ``profiles/`` that hold what differs from the default, and edits of such files."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from debugset.base.files import replacing_file
from debugset.base.git import git
from debugset.base.params import PARAMS_FILE, ParamsError, explain_yaml, parse, read_text
from debugset.cli import edits
from debugset.cli.place import given
from debugset.cli.sections import check_names, check_section, validate
from debugset.datasets.imagenet import ImageNetParams, synonyms

FOLDER = Path("profiles")
DEFAULT = FOLDER / "fashion.yaml"


def find(name: str | Path) -> Path:
    """The file of a profile, given by its name or by a path.

    Raises:
        ParamsError: there is neither.
    """
    for path in (FOLDER / f"{name}.yaml", given(name)):
        if path.is_file():
            return path
    names = ", ".join(path.stem for path in sorted(FOLDER.glob("*.yaml")))
    if not names:
        raise ParamsError(f"{name}: no such profile, and no folder {FOLDER} here; run this in the clone")
    raise ParamsError(f"{name}: no such profile; choose one of {names}, or give a file's path")


def read(name: str | Path) -> dict[str, Any]:
    """The sections of a profile, what it leaves out taken from the default.

    Raises:
        ParamsError: there is no such profile, or it is no YAML; its values are not checked.
    """
    return parse(render(name), find(name))


def render(name: str | Path) -> str:
    """A profile as a whole parameter file, which is what `use` writes.

    A section's keys replace the default's, each value as a whole; a section of another source has other keys and
    replaces the default's as a whole. Comments come from the default, where the profile has none for the same key.
    """
    path = find(name)
    return _whole(read_text(path), path)


def active() -> Path | None:
    """The profile for which `use` would write the active parameters, or None; a broken one is told and passed over."""
    if not PARAMS_FILE.is_file():
        return None
    text = read_text(PARAMS_FILE)
    problems = set()
    for path in sorted(FOLDER.glob("*.yaml")):
        try:
            if render(path) == text:
                return path
        except ParamsError as error:
            problems.add(str(error))
    for problem in sorted(problems):
        print(f"passed over: {problem}", file=sys.stderr)
    return None


def use(path: Path, *, force: bool = False) -> None:
    """Make a profile the active parameters, after checking it.

    Raises:
        ParamsError: it is not valid, or edits would be lost: the active parameters equal neither a profile nor what
            git has committed, or are a link to a profile.
    """
    text = render(path)
    validate(parse(text, path), path)
    folder, name = os.path.split(os.path.realpath(PARAMS_FILE))
    if folder == os.path.realpath(FOLDER):
        raise ParamsError(f"{PARAMS_FILE}: is a link to {FOLDER / name}, which would be overwritten; remove the link")
    if not force and PARAMS_FILE.is_file() and active() is None and not _committed(PARAMS_FILE):
        raise ParamsError(
            f"{PARAMS_FILE} has uncommitted edits: commit them, keep them as a profile "
            f"(cp {PARAMS_FILE} {FOLDER}/NAME.yaml), or lose them with --force"
        )
    _write(PARAMS_FILE, text)


def set_debug_classes(path: Path, classes: list[str]) -> None:
    """Write the debug classes into a parameter file or profile; of ImageNet's classes the queries too.

    Queries of classes that WordNet leaves without a word of their own stay as they were.

    Raises:
        ParamsError: a section would not be valid; nothing is written.
    """
    values: dict[str, Any] = {"errors.classes": classes}
    sections = read(path)
    if isinstance(check_section(sections, "prepare", path), ImageNetParams):
        before, words = sections["scrape"]["queries"], synonyms(classes)
        values["scrape.queries"] = {name: words[name] or before.get(name, []) for name in classes}
    set_values(path, values)


def set_values(path: Path, values: Mapping[str, Any]) -> None:
    """Set parameters of a file by keys as ``scrape.queries``; every other line stays, comments included.

    A list is written in one line unless the file has a block there.

    Raises:
        ParamsError: a section would not be valid; nothing is written.
    """
    document = _document(read_text(path), path)
    check_names(document, path)
    for key, value in values.items():
        name, parameter = key.split(".")
        section = edits.section(document, name)
        if not isinstance(section, CommentedMap):
            raise ParamsError(f"{path}: `{name}`: expected a section (got {section!r})")
        edits.put(section, parameter, value)
    text = edits.to_text(document)
    sections = parse(_whole(text, path), path)
    for key, value in values.items():
        name, parameter = key.split(".")
        check_section(sections, name, path)
        if sections[name][parameter] != value:  # a character that YAML takes for the end of a line
            raise ParamsError(
                f"{path}: `{key}`: {value!r} cannot be written as YAML; leave out what is no letter or sign"
            )
    _write(path, text)


def _whole(text: str, path: Path) -> str:
    """A profile's text with all that it leaves out; as it is, if that is nothing."""
    document, profile = _document(read_text(DEFAULT), DEFAULT), _document(text, path)
    document.ca.comment = profile.ca.comment  # what a file says of itself at its top
    for name, section in profile.items():
        default = document.get(name)
        if isinstance(default, CommentedMap) and isinstance(section, CommentedMap) and _same_model(default, section):
            for key, value in section.items():
                edits.put(default, key, value, edits.comments(section, key))
            section = default
        edits.put(document, name, section, edits.comments(profile, name))
    return text if document == profile else edits.to_text(document)


def _same_model(default: CommentedMap, section: CommentedMap) -> bool:
    """Whether a section has the default's keys: those with a `source` have others for each."""
    return section.get("source", default.get("source")) == default.get("source")


def _document(text: str, path: Path) -> CommentedMap:
    parse(text, path)  # tells in one line what is wrong
    with explain_yaml(path):  # its parser is stricter: no tab before a comment
        return edits.parse(text)


def _write(path: Path, text: str) -> None:
    """Write a file in place of the one that is there or that a link leads to, with that one's line ends."""
    path = Path(os.path.realpath(path))  # of a link to itself it is the link
    ends = "\r\n" if path.is_file() and b"\r\n" in path.read_bytes() else "\n"
    with replacing_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline=ends)


def _committed(path: Path) -> bool:
    """Whether git's last commit holds a file as it is now."""
    try:
        committed = git("show", f"HEAD:./{path}", check=False)
        return committed.replace("\r\n", "\n") == read_text(path)  # git's own settings may turn one into the other
    except FileNotFoundError:
        return False  # no git: nothing is committed
