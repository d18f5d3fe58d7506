"""Whole parameters: every section is there and of its room's model, and no section contradicts another."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from debugset.barlow.params import BarlowParams
from debugset.base import numerics
from debugset.base.params import PARAMS_FILE, ParamsError, Section, check
from debugset.datasets import imagenet
from debugset.datasets import sections as of_sources
from debugset.datasets.fashion import CLASSES
from debugset.dcd.accuracy import BootstrapParams
from debugset.dcd.dedup import DedupParams
from debugset.dcd.failures import ErrorsParams
from debugset.dcd.picks import PickParams
from debugset.dcd.retention import RetentionParams
from debugset.dcd.variants import EMBEDDERS
from debugset.models.params import EmbeddersParams, EmbedParams, OriginalParams, RobustParams
from debugset.pool.params import ScrapeParams, debug_queries
from debugset.relations.params import AttributesParams, RelationsParams
from debugset.report.params import ReportParams
from debugset.sparse.params import SparseParams
from debugset.training.recipe import Recipe, TrainParams
from debugset.visuals.params import VisualsParams

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
    "evaluate": BootstrapParams,
    "retention": RetentionParams,
    "visuals": VisualsParams,
    "barlow": BarlowParams,
    "remeasure": BootstrapParams,
    "attributes": AttributesParams,
    "relations": RelationsParams,
    "sparse": SparseParams,
    "report": ReportParams,
}
SECTIONS = (*of_sources.MODELS, *MODELS)


def validate(sections: Mapping[str, Any], path: Path = PARAMS_FILE) -> dict[str, Any]:
    """The model of each section, checked by its room's, then one against another; ``path`` is for error texts.

    Raises:
        ParamsError: names the file, the key and what is wrong, in one line.
    """
    numerics.check_mode(sections.get(numerics.KEY), path)
    check_names(sections, path)
    models = {name: check_section(sections, name, path) for name in SECTIONS}
    for problem in _contradictions(models, sections):
        raise ParamsError(f"{path}: {problem}")
    return models


def check_names(sections: Mapping[str, Any], path: Path = PARAMS_FILE) -> None:
    """See to it that a file names no other sections than there are; a ParamsError if it does."""
    unknown = sorted(set(sections) - {numerics.KEY, *SECTIONS}, key=str)
    if unknown:
        raise ParamsError(f"{path}: `{unknown[0]}` is not a section; the sections are {', '.join(SECTIONS)}")


def check_section(sections: Mapping[str, Any], name: str, path: Path = PARAMS_FILE) -> Any:
    """Check one section by the model of its room; for the arguments and the error of `validate`."""
    if name in of_sources.MODELS:
        return of_sources.check_section(sections, name, path)
    return check(sections, name, MODELS[name], path)


def _contradictions(models: Mapping[str, Any], sections: Mapping[str, Any]) -> Iterator[str]:
    """What single sections cannot know: each problem in one line."""
    classes = CLASSES if models["prepare"].source == "fashion" else imagenet.class_names()
    yield from _unknown_names("errors.classes", models["errors"].classes, classes)
    yield from _unknown_names("scrape.queries", models["scrape"].queries, classes)
    yield from _unknown_names("retention.embedders", models["retention"].embedders, EMBEDDERS)
    if models["sparse"].rendered and models["prepare"].source != "fashion":
        yield f"`sparse.rendered`: {models['prepare'].source} can't be drawn again on other backgrounds; say []"
    if models["original"].random_state in models["train"].random_states:
        yield "`train.random_states` holds `original.random_state`: retraining with the original's own proves nothing"
    try:
        debug_queries(sections, models["scrape"])
    except ParamsError as error:
        yield str(error)


def _unknown_names(key: str, names: Iterable[str], known: Sequence[str]) -> Iterator[str]:
    """A line for each name that is none of the known ones, of which ten are told."""
    choice = ", ".join(known[:10]) + (" ..." if len(known) > 10 else "")
    for name in names:
        if name not in known:
            yield f"`{key}`: {name} is unknown; choose from {choice}"
