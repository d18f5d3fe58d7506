"""The parameters of a scrape, and which classes' queries are asked."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from debugset.params import ParamsError, Section
from debugset.pool.licences import LICENCES
from debugset.pool.windows import ends_window

Size = Literal["o", "k", "h", "l", "c", "z", "n", "m", "s", "q", "t", "sq"]
QueryText = Annotated[str, Field(min_length=1, pattern=r"\S")]


class ScrapeParams(Section):
    """The section ``scrape``.

    Attributes:
        endpoint: who is asked: the simulator on this machine, or Flickr.
        shard: the upload window that one shard of the pool holds.
        since: the earliest upload date asked for (UTC).
        snapshot: the latest upload date asked for, inclusive (UTC); the pool's data version. It is the last
            day of a shard's window: only then does a later snapshot rewrite no shard.
        queries: class name -> its synonyms; each synonym is one search.
        result_cap: how many results of one search the service gives out at most (4,000 at Flickr).
        per_query: how many photos of one search are taken, the oldest first (the paper: 30,000); null takes all.
        per_page: results a call.
        sizes: suffixes of sizes in the order wished; the first that exists and is large enough is taken.
        min_side: the least length of the shorter side, in pixels.
        licences: licence ids asked for, or null for all.
    """

    endpoint: Literal["simulator", "flickr"]
    shard: Literal["year", "month"]
    since: date = Field(strict=False)  # YAML gives text or a date
    snapshot: date = Field(strict=False)
    queries: dict[str, list[QueryText]]
    result_cap: int = Field(ge=1, le=4000)
    per_query: int | None = Field(ge=1)
    per_page: int = Field(ge=1, le=500)
    sizes: list[Size] = Field(min_length=1)
    min_side: int = Field(ge=1)
    licences: list[int] | None

    @field_validator("snapshot")
    @classmethod
    def _ends_a_window(cls, snapshot: date, fields: Any) -> date:  # a pydantic.ValidationInfo, a bare protocol
        shard, since = fields.data.get("shard"), fields.data.get("since")
        if since is not None and snapshot < since:
            raise ValueError(f"must not lie before scrape.since, {since}")
        if shard is not None and not ends_window(snapshot, shard):
            raise ValueError(f"must be the last day of a {shard} (scrape.shard), so that a later one adds shards only")
        return snapshot

    @field_validator("queries")
    @classmethod
    def _asked_for_one_class(cls, queries: dict[str, list[str]]) -> dict[str, list[str]]:
        seen: dict[str, str] = {}
        for name, texts in queries.items():
            for text in texts:
                if text.casefold() in seen:
                    raise ValueError(f"{text!r} is asked for {seen[text.casefold()]} and again for {name}; keep one")
                seen[text.casefold()] = name
        return queries

    @field_validator("licences")
    @classmethod
    def _known(cls, licences: list[int] | None) -> list[int] | None:
        if licences is not None and (unknown := [number for number in licences if number not in LICENCES]):
            raise ValueError(f"licence {unknown[0]} is unknown; choose from 0 to {max(LICENCES)}, or null for all")
        if licences is not None and not licences:
            raise ValueError("is empty; name the licences, or null for all")
        return licences


def asked_queries(sections: Mapping[str, Any], params: ScrapeParams) -> dict[str, list[str]]:
    """The queries of the debug classes, in the order of ``errors.classes``.

    Args:
        sections: all sections of the parameter file; `errors.classes` is read from it.
        params: the section ``scrape``.

    Raises:
        ParamsError: ``errors.classes`` is missing or no list of distinct names, or a class has no query.
    """
    errors = sections.get("errors")
    classes = errors.get("classes") if isinstance(errors, Mapping) else None
    if not isinstance(classes, list) or not classes or not all(isinstance(name, str) for name in classes):
        raise ParamsError(f"`errors.classes`: expected a list of class names (got {classes!r})")
    if len(set(classes)) < len(classes):
        raise ParamsError(f"`errors.classes`: a name comes twice (got {classes!r})")
    for name in classes:
        if not params.queries.get(name):
            raise ParamsError(f"`scrape.queries.{name}` is missing: `errors.classes` names {name}; add its synonyms")
    return {name: params.queries[name] for name in classes}
