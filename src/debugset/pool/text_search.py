"""Texts of strangers: as files can hold them, and which a search finds.

It finds those with all words of the query, phrases in double quotes as they stand, and none of what follows a ``-``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from debugset.base.names import composed

_WORD = re.compile(r"\w+(?:[-']\w+)*")  # "t-shirt" is one word
_QUERY = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')


def clean_text(text: str) -> str:
    """A stranger's text as files can hold it: a question mark in the place of lone surrogates and NUL.

    JSON may name half of a surrogate pair (RFC 8259, section 8.2), which UTF-8 cannot say; HTML has no NUL.
    """
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


class TextQuery:
    """A query as Flickr's text search reads it; case does not matter.

    "You can exclude results that match a term by prepending it with a - character"
    (https://www.flickr.com/services/api/flickr.photos.search.html).

    Attributes:
        words: of what must be there.
    """

    def __init__(self, text: str) -> None:
        self._terms: list[str] = []
        self._excluded: list[str] = []
        for minus, phrase, word in _QUERY.findall(text):
            term = searchable(phrase or word)
            if not minus:
                self._terms.append(term)
            elif term.strip():
                self._excluded.append(term)
        self.words = frozenset(" ".join(self._terms).split())

    def finds(self, texts: Iterable[str]) -> bool:
        """Whether each term stands in one of the `searchable` texts, and no excluded one in any.

        Exclusions alone find nothing.
        """
        every = "\n".join(texts)  # no term holds a line break, so none reaches from one text into the next
        if not self._terms or any(term in every for term in self._excluded):
            return False
        return all(term in every for term in self._terms)


class ClassQueries:
    """The queries of all classes, by class name, to ask which of them find a text without trying each."""

    def __init__(self, queries: Mapping[str, Sequence[str]]) -> None:
        self._queries: list[tuple[str, str, TextQuery]] = []
        self._places_of_word: dict[str, list[int]] = {}
        for class_name, texts in queries.items():
            for text in texts:
                query = TextQuery(text)
                if query.words:  # one of them is enough to look a query up: the longest tends to be the rarest
                    word = max(query.words, key=lambda word: (len(word), word))
                    self._places_of_word.setdefault(word, []).append(len(self._queries))
                self._queries.append((class_name, text, query))

    def find(self, text: str) -> list[tuple[str, str]]:
        """Class and query of each query that finds a text, in the order of the queries."""
        text = searchable(text)
        places: list[int] = []
        for word in set(text.split()):
            places += self._places_of_word.get(word, [])
        candidates = [self._queries[place] for place in sorted(places)]
        return [(class_name, asked) for class_name, asked, query in candidates if query.finds([text])]


def wanted_part(text: str) -> str:
    """A query without its exclusions, each word and phrase as it is written; empty if it only excludes."""
    return " ".join(term[0] for term in _QUERY.finditer(text) if not term[1])


def searchable(text: str) -> str:
    """A text as `TextQuery.finds` takes it: its words, composed and their case folded, a space around each."""
    return f" {' '.join(_WORD.findall(composed(text.casefold())))} "
