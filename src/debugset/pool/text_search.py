"""Texts of strangers: as files can hold them, and which a search finds.

It finds those with all words of the query, phrases in double quotes as they stand, and none of what follows a ``-``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

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

    Args:
        text: words, or phrases in double quotes, that must all be there; behind a ``-``, such as must not.

    Attributes:
        words: of what must be there.
    """

    def __init__(self, text: str) -> None:
        found = [(minus, searchable(phrase or word)) for minus, phrase, word in _QUERY.findall(text)]
        self._terms = [term for minus, term in found if not minus]
        self._excluded = [term for minus, term in found if minus and term.strip()]
        self.words = frozenset(word for term in self._terms for word in term.split())

    def finds(self, texts: Iterable[str]) -> bool:
        """Whether each term stands in one of the texts, and no excluded one in any; exclusions alone find nothing.

        Args:
            texts: as `searchable` gives them.
        """
        texts = list(texts)
        if not self._terms or any(term in text for term in self._excluded for text in texts):
            return False
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


def wanted_part(text: str) -> str:
    """A query without its exclusions, each word and phrase as it is written; empty if it only excludes."""
    return " ".join(term[0] for term in _QUERY.finditer(text) if not term[1])


def searchable(text: str) -> str:
    """A text as `TextQuery.finds` takes it: its words, their case folded, a space around each."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "
