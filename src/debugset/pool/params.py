"""The parameters of a scrape, and which classes' queries are asked."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from debugset.base.names import composed
from debugset.base.params import Name, ParamsError, Section
from debugset.pool.fault import Fault
from debugset.pool.rights.licences import LICENCES, NONE_STATED
from debugset.pool.sizes import SIZES
from debugset.pool.text_search import wanted_part
from debugset.pool.windows import ends_window


def _check_size(suffix: str) -> str:
    if suffix not in SIZES:
        raise ValueError(f"size {suffix!r} is unknown; choose from {', '.join(SIZES)}")
    return suffix


_Size = Annotated[str, AfterValidator(_check_size)]
_QueryText = Annotated[str, Field(min_length=1, pattern=r"\S"), AfterValidator(composed)]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Licence = Annotated[int, Field(ge=0)] | Literal["unknown"]


class ScrapeParams(Section):
    """The section ``scrape``.

    Attributes:
        endpoint: where the photos come from: the simulator on this machine, Flickr, or the folder ``sources``
            with a table of addresses, img2dataset's WebDataset shards or loose files.
        shard: the upload window that one shard of the pool holds.
        since: the earliest upload date asked for (UTC).
        snapshot: the latest upload date asked for, inclusive (UTC); the pool's data version. It is the last
            day of a shard's window: only then does a later snapshot rewrite no shard.
        queries: class name -> its synonyms; each synonym is one search, ``-word`` in it excludes.
        result_cap: how many results of one search the service gives out at most (4,000 at Flickr).
        per_query: how many photos of one search are taken, the oldest first (the paper: 30,000); null takes all.
        per_page: results a call.
        sizes: suffixes of the sizes that may be taken.
        side: the wished length of the shorter side, in pixels: the smallest size that reaches it is taken, else
            the next larger or, where there is none, the largest below.
        min_side: the least length of the shorter side, in pixels.
        max_bytes: the largest file that is fetched.
        max_pixels: the largest picture that is decoded.
        licences: licence ids that are taken, and ``unknown`` for what states none.
        placeholders: SHA-256 of pictures that say "this photo is unavailable".
    """

    endpoint: Literal["simulator", "flickr", "table", "webdataset", "folder"]
    shard: Literal["year", "month"]
    since: date = Field(strict=False)  # YAML gives text or a date
    snapshot: date = Field(strict=False, lt=date.max)  # a day must follow it
    queries: dict[Name, list[_QueryText]]
    result_cap: int = Field(ge=1, le=4000)
    per_query: int | None = Field(ge=1)
    per_page: int = Field(ge=1, le=500)
    sizes: list[_Size] = Field(min_length=1)
    side: int = Field(ge=1)
    min_side: int = Field(ge=1)
    max_bytes: int = Field(ge=1)
    max_pixels: int = Field(ge=1)
    licences: list[_Licence] = Field(min_length=1)
    placeholders: list[_Digest]

    @field_validator("snapshot")
    @classmethod
    def _check_snapshot(cls, snapshot: date, fields: Any) -> date:  # a pydantic.ValidationInfo, a bare protocol
        shard, since = fields.data.get("shard"), fields.data.get("since")
        if since is not None and snapshot < since:
            raise ValueError(f"must not lie before scrape.since, {since}")
        if shard is not None and not ends_window(snapshot, shard):
            raise ValueError(f"must be the last day of a {shard} (scrape.shard), so that a later one adds shards only")
        return snapshot

    @field_validator("queries", mode="before")
    @classmethod
    def _check_names(cls, queries: Any) -> Any:
        names = [composed(name) for name in queries if isinstance(name, str)] if isinstance(queries, dict) else []
        for name, count in Counter(names).items():
            if count > 1:  # they look the same, and one would take the other's place
                raise ValueError(f"{name} comes twice; keep one")
        return queries

    @field_validator("queries")
    @classmethod
    def _check_queries(cls, queries: dict[str, list[str]]) -> dict[str, list[str]]:
        class_of_text: dict[str, str] = {}
        for name, texts in queries.items():
            for text in texts:
                if not wanted_part(text).strip(" -"):
                    raise ValueError(
                        f"{text!r} only excludes; put a word to search for before it, as in '{name} {text}'"
                    )
                key = text.casefold()
                if key in class_of_text:
                    raise ValueError(f"{text!r} is asked for {class_of_text[key]} and again for {name}; keep one")
                class_of_text[key] = name
        return queries

    @field_validator("licences")
    @classmethod
    def _check_licences(cls, licences: list[int | str]) -> list[int | str]:
        for licence in licences:
            if licence != "unknown" and licence not in LICENCES:
                raise ValueError(f"licence {licence} is unknown; choose from 0 to {max(LICENCES)}, or `unknown`")
        return licences

    @property
    def licence_ids(self) -> list[int]:
        """The licence ids to ask a service for."""
        return [licence for licence in self.licences if isinstance(licence, int)]

    def licence_fault(self, licence: int | None) -> str:
        """``licence`` if photos under a licence (an id, `NONE_STATED`, or None for another) are not taken, else ""."""
        is_taken = ("unknown" if licence == NONE_STATED else licence) in self.licences
        return "" if is_taken else Fault.LICENCE


def debug_queries(sections: Mapping[str, Any], params: ScrapeParams) -> dict[str, list[str]]:
    """The queries of the debug classes, in the order of ``errors.classes``.

    Raises:
        ParamsError: ``errors.classes`` is missing or no list of distinct names, or a class has no query.
    """
    errors = sections.get("errors")
    classes = errors.get("classes") if isinstance(errors, Mapping) else None
    if not isinstance(classes, list) or not classes or not all(isinstance(name, str) for name in classes):
        raise ParamsError(f"`errors.classes`: expected a list of class names (got {classes!r})")
    classes = list(map(composed, classes))
    if len(set(classes)) < len(classes):
        raise ParamsError(f"`errors.classes`: a name comes twice (got {classes!r})")
    for name in classes:
        if not params.queries.get(name):
            raise ParamsError(f"`scrape.queries.{name}` is missing: `errors.classes` names {name}; add its synonyms")
    return {name: params.queries[name] for name in classes}
