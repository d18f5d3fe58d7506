"""Edits of YAML files that keep the comments and the layout of all that they leave alone.

ruamel.yaml ties what stands between two values (an end-of-line comment, blank lines, comments of their own) to the
last word before it. A value that goes would take that along, so `put` moves it to the new value's last word.
"""

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.tokens import CommentToken

_END_OF_LINE = {
    CommentedMap: 2,
    CommentedSeq: 0,
}  # where ruamel.yaml keeps the text after an item, by the item's holder
_UNBROKEN = 10**6  # columns: no line is folded


class _Representer(RoundTripRepresenter):
    """Writes null as a word, where the usual one writes nothing."""


_Representer.add_representer(type(None), lambda self, _: self.represent_scalar("tag:yaml.org,2002:null", "null"))


def _yaml() -> YAML:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = _UNBROKEN
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
    """Set a key; what stands below stays, and so does the comment behind the key, unless there is a new one.

    Args:
        mapping: a document, or a mapping in it.
        key: where it has none of that name, it comes last.
        value: a plain list is laid out as the one in whose place it comes, else in one line.
        comment: with its ``#``.
    """
    old, gap = mapping.get(key), ""
    if key in mapping:
        comment = comment or end_comment(mapping, key)
        holder, place = _last_word(mapping, key)
        gap = _text(holder, place).partition("\n")[2]
        _set_text(holder, place, end_comment(holder, place))
    mapping[key] = _laid_out(value, old)
    _set_text(mapping, key, comment)
    holder, place = _last_word(mapping, key)
    _set_text(holder, place, f"{end_comment(holder, place)}\n{gap}")


def end_comment(holder: CommentedMap | CommentedSeq, place: str | int) -> str:
    """The comment behind an item in its line, or nothing."""
    return _text(holder, place).partition("\n")[0]


def _last_word(holder: CommentedMap | CommentedSeq, place: str | int) -> tuple[CommentedMap | CommentedSeq, str | int]:
    """Where the last line of a value ends: its own place, or that of the last item in its block."""
    value = holder[place]
    if not value or not isinstance(value, CommentedMap | CommentedSeq) or value.fa.flow_style():
        return holder, place
    return _last_word(value, list(value)[-1] if isinstance(value, CommentedMap) else len(value) - 1)


def _text(holder: CommentedMap | CommentedSeq, place: str | int) -> str:
    """What stands from the end of an item to the next."""
    token = holder.ca.items.get(place, [None] * 4)[_END_OF_LINE[type(holder)]]
    return token.value if token else ""


def _set_text(holder: CommentedMap | CommentedSeq, place: str | int, text: str) -> None:
    """Replace that; a line's own end is not written, and one space comes before a comment."""
    token = CommentToken(text, CommentMark(0)) if text not in ("", "\n") else None
    holder.ca.items.setdefault(place, [None] * 4)[_END_OF_LINE[type(holder)]] = token


def _laid_out(value: Any, old: Any) -> Any:
    """A value that knows how it is written; from a parsed text it does."""
    if isinstance(value, CommentedMap | CommentedSeq) or not isinstance(value, dict | list):
        return value
    if isinstance(value, dict):
        return CommentedMap({key: _laid_out(item, None) for key, item in value.items()})
    items = CommentedSeq(value)
    if not isinstance(old, CommentedSeq) or old.fa.flow_style():
        items.fa.set_flow_style()
    return items
