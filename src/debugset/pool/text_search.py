"""Texts of strangers: as files can hold them, and which a search finds.

It finds those with all words of the query, and phrases in double quotes as they stand.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

_WORD = re.compile(r"\w+(?:[-']\w+)*")  # "t-shirt" is one word
_QUERY = re.compile(r'"([^"]*)"|(\S+)')


def clean_text(text: str) -> str:
    """A stranger's text as files can hold it: a question mark in the place of lone surrogates and NUL.

    JSON may name half of a surrogate pair (RFC 8259, section 8.2), which UTF-8 cannot say; HTML has no NUL.
    """
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


class TextQuery:
    """A query as Flickr's text search reads it; case does not matter.

    Args:
        text: words, or phrases in double quotes, that must all be there.
    """

    def __init__(self, text: str) -> None:
        self._terms = [searchable(phrase or word) for phrase, word in _QUERY.findall(text)]
        self.words = frozenset(word for term in self._terms for word in term.split())

    def finds(self, texts: Iterable[str]) -> bool:
        """Whether each term stands in one of the texts.

        Args:
            texts: as `searchable` gives them.
        """
        texts = list(texts)
        return all(any(term in text for text in texts) for term in self._terms)


class ClassQueries:
    """The queries of all classes, to ask which of them find a text without trying each.

    Args:
        queries: class name -> its synonyms.
    """

    def __init__(self, queries: Mapping[str, Sequence[str]]) -> None:
        self._all = [(name, text, TextQuery(text)) for name, texts in queries.items() for text in texts]
        self._places_of_word: dict[str, list[int]] = {}
        for place, (_, _, query) in enumerate(self._all):
            if query.words:  # one of them is enough to look a query up: the longest tends to be the rarest
                word = max(query.words, key=lambda word: (len(word), word))
                self._places_of_word.setdefault(word, []).append(place)

    def finding(self, text: str) -> list[tuple[str, str]]:
        """Class and query of each query that finds a text, in the order of the queries."""
        texts = [searchable(text)]
        words = set(texts[0].split())
        places = sorted(place for word in words for place in self._places_of_word.get(word, ()))
        return [self._all[place][:2] for place in places if self._all[place][2].finds(texts)]


def searchable(text: str) -> str:
    """A text as `TextQuery.finds` takes it: its words, their case folded, a space around each."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "
