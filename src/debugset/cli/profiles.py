"""Profiles: whole parameter files under ``profiles/``, checked section by section and against each other."""

import math
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from debugset.barlow.params import BarlowParams
from debugset.base import numerics
from debugset.base.files import replacing_file
from debugset.base.git import git
from debugset.base.params import PARAMS_FILE, ParamsError, Section, check, read
from debugset.datasets import imagenet
from debugset.datasets.fashion import CLASSES
from debugset.datasets.sections import check_section
from debugset.dcd.accuracy import EvaluateParams
from debugset.dcd.dedup import DedupParams
from debugset.dcd.failures import ErrorsParams
from debugset.dcd.picks import PickParams
from debugset.dcd.remeasure import RemeasureParams
from debugset.dcd.retention import RetentionParams
from debugset.dcd.variants import EMBEDDERS
from debugset.models.params import EmbeddersParams, EmbedParams, OriginalParams, RobustParams
from debugset.pool.params import ScrapeParams, asked_queries
from debugset.relations.params import AttributesParams, RelationsParams
from debugset.report.params import ReportParams
from debugset.training.recipe import Recipe, TrainParams

FOLDER = Path("profiles")

# A new section is one line here; its model belongs to its room. `prepare` and `attributed` have one for each source.
MODELS: Mapping[str, type[Section]] = {
    "scrape": ScrapeParams,
    "recipe": Recipe,
    "original": OriginalParams,
    "robust": RobustParams,
    "embedders": EmbeddersParams,
    "embed": EmbedParams,
    "errors": ErrorsParams,
    "dedup": DedupParams,
    "pick": PickParams,
    "train": TrainParams,
    "evaluate": EvaluateParams,
    "retention": RetentionParams,
    "barlow": BarlowParams,
    "remeasure": RemeasureParams,
    "attributes": AttributesParams,
    "relations": RelationsParams,
    "report": ReportParams,
}
SECTIONS = ("prepare", "attributed", *MODELS)


def validate(path: Path = PARAMS_FILE) -> dict[str, Any]:
    """Check a whole parameter file: its sections, each by its room's model, then one against another.

    Returns:
        The model of each section by name.

    Raises:
        ParamsError: names the file, the key and what is wrong, in one line.
    """
    raw = read(path)
    numerics.check(raw.get(numerics.KEY), path)
    unknown = sorted(set(raw) - {numerics.KEY, *SECTIONS})
    if unknown:
        raise ParamsError(f"{path}: `{unknown[0]}` is not a section; the sections are {', '.join(SECTIONS)}")
    sections: dict[str, Any] = {name: check_section(raw, name, path) for name in ("prepare", "attributed")}
    sections |= {name: check(raw, name, model, path) for name, model in MODELS.items()}
    for problem in _contradictions(sections, raw):
        raise ParamsError(f"{path}: {problem}")
    return sections


def names() -> list[str]:
    """The names of the profiles in `FOLDER`."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find(name: str) -> Path:
    """The file of a profile, given by its name or by a path.

    Raises:
        ParamsError: there is neither.
    """
    for path in (FOLDER / f"{name}.yaml", Path(name)):
        if path.is_file():
            return path
    raise ParamsError(f"{name}: no such profile; choose one of {', '.join(names())}, or give a file's path")


def active() -> Path | None:
    """The profile that the active parameters equal, byte for byte, or None."""
    if not PARAMS_FILE.is_file():
        return None
    content = PARAMS_FILE.read_bytes()
    return next((path for path in map(find, names()) if path.read_bytes() == content), None)


def use(path: Path, *, force: bool = False) -> None:
    """Make a profile the active parameters, after checking it.

    Raises:
        ParamsError: the profile is not valid, or the active parameters have edits that would be lost: they
            equal neither a profile nor what git has committed.
    """
    validate(path)
    if not force and PARAMS_FILE.is_file() and active() is None and not _committed(PARAMS_FILE):
        raise ParamsError(
            f"{PARAMS_FILE} has uncommitted edits: commit them, keep them as a profile "
            f"(cp {PARAMS_FILE} {FOLDER}/NAME.yaml), or lose them with --force"
        )
    with replacing_file(PARAMS_FILE) as temporary:
        shutil.copyfile(path, temporary)


def set_debug_classes(path: Path, names: list[str]) -> None:
    """Write the debug classes into a parameter file; of ImageNet's classes the queries too.

    Queries of classes that WordNet leaves without a word of their own stay as they were.

    Raises:
        ParamsError: the file has no list of classes, or no block of queries.
    """
    set_list(path, "errors", "classes", names)
    raw = read(path)
    if isinstance(check_section(raw, "prepare", path), imagenet.ImageNetParams):
        before = raw["scrape"]["queries"]
        queries = {name: words or before.get(name, []) for name, words in imagenet.synonyms(names).items()}
        set_block(path, "scrape", "queries", queries)


def set_queries(path: Path, queries: dict[str, list[str]]) -> None:
    """Write ``scrape.queries`` into a parameter file, after checking them.

    Raises:
        ParamsError: the queries are not valid, or the file has no block of them.
    """
    scrape = read(path)["scrape"] | {"queries": queries}
    check({"scrape": scrape}, "scrape", ScrapeParams, path)
    set_block(path, "scrape", "queries", queries)


def set_list(path: Path, section: str, key: str, values: Iterable[str | int]) -> None:
    """Replace one list in a parameter file; every other byte stays, comments included.

    Raises:
        ParamsError: the file has no such list, or an empty one.
    """
    text = path.read_text(encoding="utf-8")
    old = _child(_child(yaml.compose(text), section), key)
    if not isinstance(old, yaml.SequenceNode) or not old.value:
        raise ParamsError(f"{path}: `{section}.{key}`: expected a list of at least one name")
    if old.flow_style:
        new = yaml.safe_dump(list(values), default_flow_style=True, width=math.inf).strip()
        _replace(path, text, old.start_mark, old.end_mark, [new])
    else:
        lines = [yaml.safe_dump([value], default_flow_style=False).strip() for value in values]
        _replace(path, text, old.start_mark, old.value[-1].end_mark, lines)


def set_block(path: Path, section: str, key: str, values: Mapping[str, list[str]]) -> None:
    """Replace one mapping of lists, a line an entry, in a parameter file; every other byte stays.

    Raises:
        ParamsError: the file has no such block, or an empty one.
    """
    text = path.read_text(encoding="utf-8")
    old = _child(_child(yaml.compose(text), section), key)
    if not isinstance(old, yaml.MappingNode) or not old.value or old.flow_style:
        raise ParamsError(f"{path}: `{section}.{key}`: expected a block with one class a line")
    lines = [yaml.safe_dump({n: v}, default_flow_style=None, width=math.inf).strip() for n, v in values.items()]
    _replace(path, text, old.start_mark, _end(old), lines)


def _replace(path: Path, text: str, start: yaml.Mark, end: yaml.Mark, lines: list[str]) -> None:
    new = ("\n" + " " * start.column).join(lines)
    with replacing_file(path) as temporary:
        temporary.write_text(text[: start.index] + new + text[end.index :], encoding="utf-8")


def _end(node: yaml.Node) -> yaml.Mark:
    """Where a node's last word ends; the mark of a block itself lies at whatever follows, past comments."""
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    return node.end_mark


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value of a key in a mapping's node, or None."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _committed(path: Path) -> bool:
    """Whether git's last commit holds a file as it is now."""
    try:
        return git("show", f"HEAD:./{path}", check=False) == path.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return False  # no git: nothing is committed


def _contradictions(sections: Mapping[str, Any], raw: Mapping[str, Any]) -> Iterable[str]:
    """What single sections cannot know: each problem in one line."""
    scrape, retention = sections["scrape"], sections["retention"]
    classes = CLASSES if sections["prepare"].source == "fashion" else imagenet.class_names()
    for key, names, known in (
        ("errors.classes", sections["errors"].classes, classes),
        ("scrape.queries", scrape.queries, classes),
        ("retention.embedders", retention.embedders, EMBEDDERS),
    ):
        if unknown := [name for name in names if name not in known]:
            yield f"`{key}`: {unknown[0]} is unknown; choose from {', '.join(known[:10])}{' ...' * (len(known) > 10)}"
    if sections["original"].random_state in sections["train"].random_states:
        yield "`train.random_states` holds `original.random_state`: retraining with the original's own proves nothing"
    try:
        asked_queries(raw, scrape)
    except ParamsError as error:
        yield str(error)
