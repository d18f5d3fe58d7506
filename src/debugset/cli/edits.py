"""Edits of YAML files that keep the comments and the layout of all that they leave alone.

ruamel.yaml ties what stands between two values (an end-of-line comment, blank lines, comments of their own) to the
last word before it. A value that goes would take that along, so `put` moves it to the new value's last word.
"""

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.representer import RoundTripRepresenter, SafeRepresenter
from ruamel.yaml.scalarstring import SingleQuotedScalarString
from ruamel.yaml.tokens import CommentToken

_END_OF_LINE = {CommentedMap: 2, CommentedSeq: 0}  # where ruamel.yaml keeps the text after an item, by its holder
_ABOVE_FIRST = 3  # and the lines above a block's first word, where no comment stands behind the block's key


class _Representer(RoundTripRepresenter):
    """Writes null as a word, where the usual one writes nothing."""


_Representer.add_representer(type(None), SafeRepresenter.represent_none)


def _yaml() -> YAML:  # one for each text: it keeps a text's directives (%YAML, %TAG) and would write them to the next
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = 10**6  # columns: no line is folded
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def parse(text: str) -> CommentedMap:
    """A mapping with the comments and the layout of its text."""
    return _yaml().load(text)


def to_text(document: CommentedMap) -> str:
    """Its text, as it was but for what was put in."""
    text = io.StringIO()
    _yaml().dump(document, text)
    return text.getvalue()


def section(document: CommentedMap, name: str) -> Any:
    """A section of a document, which gets it after an empty line if it has none of that name."""
    if name not in document:
        document[name] = CommentedMap()
        document.ca.items[name] = [None, [CommentToken("\n", CommentMark(0))], None, None]
    return document[name]


def put(mapping: CommentedMap, key: str, value: Any, comment: str = "") -> None:
    """Set a key, which comes last if it is new; what stands below stays.

    A plain list is laid out as the one in whose place it comes, else in one line. The comments of the key stay too,
    unless new ones are given, as of `comments`.
    """
    gap = ""
    behind, _, below = comment.partition("\n")
    if key in mapping:
        old_behind, _, old_below = comments(mapping, key).partition("\n")
        behind, below = behind or old_behind, below or old_below
        holder, place = _last_word(mapping, key)
        gap = _text(holder, place).partition("\n")[2]
        _set_text(holder, place, end_comment(holder, place))  # it may stay, as an alias elsewhere
    mapping[key] = _laid_out(value, mapping.get(key))
    _set_text(mapping, key, f"{behind}\n{below}" if _is_block(mapping[key]) else behind)
    mapping.ca.items[key][_ABOVE_FIRST] = None  # it is in that text now
    holder, place = _last_word(mapping, key)
    _set_text(holder, place, f"{end_comment(holder, place)}\n{gap}")


def comments(mapping: CommentedMap, key: str) -> str:
    """The comment behind a key in its line, then the lines between it and the first word of its block."""
    text = _text(mapping, key) if _is_block(mapping[key]) else end_comment(mapping, key)
    above_first = mapping.ca.items.get(key, [None] * 4)[_ABOVE_FIRST] or []
    lines = "".join(" " * token.start_mark.column + token.value for token in above_first)
    return f"{text}\n{lines}" if lines else text


def end_comment(holder: CommentedMap | CommentedSeq, place: str | int) -> str:
    """The comment behind an item in its line, or nothing."""
    return _text(holder, place).partition("\n")[0]


def _last_word(holder: CommentedMap | CommentedSeq, place: str | int) -> tuple[CommentedMap | CommentedSeq, str | int]:
    """Where the last line of a value ends: its own place, or that of the last item in its block."""
    value = holder[place]
    if not _is_block(value):
        return holder, place
    return _last_word(value, list(value)[-1] if isinstance(value, CommentedMap) else len(value) - 1)


def _is_block(value: Any) -> bool:
    """Whether a value is written in lines of its own below its key."""
    return isinstance(value, CommentedMap | CommentedSeq) and bool(value) and not value.fa.flow_style()


def _text(holder: CommentedMap | CommentedSeq, place: str | int) -> str:
    """What stands from the end of an item to the next."""
    token = holder.ca.items.get(place, [None] * 4)[_END_OF_LINE[type(holder)]]
    return token.value if token else ""


def _set_text(holder: CommentedMap | CommentedSeq, place: str | int, text: str) -> None:
    """Replace that; a line's own end is not written, and one space comes before a comment."""
    token = CommentToken(text, CommentMark(0)) if text not in ("", "\n") else None
    holder.ca.items.setdefault(place, [None] * 4)[_END_OF_LINE[type(holder)]] = token


def _laid_out(value: Any, old: Any) -> Any:
    """A plain value that knows how it is written, as one of a parsed text does."""
    if type(value) is dict:
        return CommentedMap({key: _laid_out(item, None) for key, item in value.items()})
    if type(value) is str and (":" in value or "?" in value):
        return SingleQuotedScalarString(value)  # the parser in C, DVC's, takes no plain one in a list of one line
    if type(value) is list:
        value = CommentedSeq([_laid_out(item, None) for item in value])
        if not isinstance(old, CommentedSeq) or old.fa.flow_style():
            value.fa.set_flow_style()
    return value
